use directory::Kinship;
use testkit::PostgresServer;

use crate::site::{Site, small};

const USERS: &str = "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)";

async fn kinship(read: &str, write: &str) -> Kinship {
    let directory = directory::open(read, Some(write), small()).await.unwrap();
    directory.kinship().await.unwrap()
}

#[tokio::test]
async fn a_copy_that_is_written_to_is_told_from_the_site() {
    for (site, copy) in Site::each().into_iter().zip(Site::each()) {
        for one in [&site, &copy] {
            one.run(&[USERS]).await;
        }
        assert_eq!(kinship(&site.url, &site.url).await, Kinship::One);
        let Kinship::Two(why) = kinship(&site.url, &copy.url).await else { panic!() };
        assert!(why.contains("two databases"), "{why}");
        let reading = site.open(small()).await;
        assert_eq!(reading.kinship().await.unwrap(), Kinship::One, "nothing is written");
    }
}

#[tokio::test]
async fn a_role_that_may_not_ask_is_told_so() {
    let site = Site::postgres();
    site.run(&[
        USERS,
        "CREATE ROLE incurious LOGIN",
        "GRANT SELECT ON users TO incurious",
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
    ])
    .await;
    let url = site.url.replace("postgres@", "incurious@");
    let Kinship::Untold(why) = kinship(&url, &site.url).await else { panic!() };
    assert!(why.contains("permission denied"), "{why}");
}

/// It has all that its primary had, the name of its cluster among it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_whole_cluster_is_told_from_it_once_it_is_written_to() {
    let server = PostgresServer::start(false);
    let database = server.database();
    let primary = Site::at(&database.url);
    primary.run(&[USERS]).await;
    let standby = server.standby();
    let copy = Site::at(&standby.view_of(&database).url);
    let Kinship::Untold(why) = kinship(&copy.url, &primary.url).await else { panic!() };
    assert!(why.contains("a standby"), "{why}");
    assert_eq!(copy.number("SELECT pg_promote()::int::bigint").await, 1);
    for (read, write) in [(&primary, &copy), (&copy, &primary)] {
        let Kinship::Two(why) = kinship(&read.url, &write.url).await else { panic!() };
        assert!(why.contains("two servers"), "{why}");
    }
}
