//! Whoever can write to our database, and has neither the instance key nor an operator's, puts no
//! word into our mails, gets nobody else's link, and makes none.

use testkit::{site::SitePerson, smtp::TakenMail};

use crate::{
    attacker::Owner,
    harness::Backend,
    office::{Office, leaked, wait_until},
    rows::put_off,
    serve::Served,
    way_back::{CHOSEN, ResetScene, choose, code, form, type_address},
};

const DEAD: &str = "This link does not work";

#[test]
fn a_leak_is_named_as_the_operators_have_signed_it() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        let owner = Owner::of(&office);
        owner.keep(&["leak"]);
        owner.write(
            "UPDATE leak SET name = 'Your Bank', public_name = 'Your Bank', \
             provenance = 'confirmed', date = '2020'",
        );
        let work = office.try_to_work();
        assert_eq!(work.code, 3, "{}", work.stderr);
        assert!(work.stderr.contains("leak 1 is not as it was registered"), "{}", work.stderr);
        owner.put_back(&["leak"]);
        for mail in office.mails().into_values().flatten() {
            let text = mail.text();
            let is_signed = text.contains("is passed around under the name");
            assert!(is_signed && !text.contains("Bank") && !text.contains("2020"), "{text}");
        }
        assert!(!office.mails().is_empty());
    }
}

#[test]
fn where_a_password_was_found_is_told_as_it_was_found() {
    for change in ["tier = 'username'", "verified_at = verified_at + 86400000000", "leak = 2"] {
        let office = Office::open(Backend::Sqlite);
        office.start("");
        let (owner, rows) = (Owner::of(&office), ["finding", "leak"]);
        owner.keep(&rows);
        // A leak of their own, which no plan names.
        owner.write(
            "INSERT INTO leak (id, name, date, provenance, added_at, state) \
             SELECT 2, 'Bank', date, provenance, added_at, state FROM leak",
        );
        owner.write(&format!("UPDATE finding SET {change}"));
        let run = office.try_to_work();
        assert_eq!(run.code, 3, "{change}: {}", run.stderr);
        assert!(run.stderr.contains("encrypted as `finding of leak"), "{change}: {}", run.stderr);
        owner.put_back(&rows);
        assert_eq!(office.state(), "halted");
        assert!(office.mails().is_empty() && office.locked_out().is_empty(), "{change}");
    }
}

/// Whoever may write rows dates no mail, and has no page say what became of it.
#[test]
fn a_mail_and_its_page_bear_the_dates_of_the_log() {
    for backend in Backend::ALL {
        let office = put_off(backend, "RCPT 451 4.7.1 later");
        let owner = Owner::of(&office);
        // The year 2003, and whatever is wanted to have become of it.
        owner.write("UPDATE notice SET made_at = 1046476800000000, not_before = 0");
        owner.write("DELETE FROM sending_pause");
        office.smtp.behave("*", "accept");
        office.work();
        let mails = office.mails();
        let served = Served::start(&office.instance);
        owner.write("UPDATE notice SET state = 'refused', made_at = 1046476800000000");
        for (address, mail) in mails.iter().map(|(address, mails)| (address, &mails[0])) {
            let head = String::from_utf8_lossy(&mail.bytes).into_owned();
            let date = head.lines().find(|line| line.starts_with("Date:")).unwrap();
            assert!(!date.contains("2003"), "{date}");
            let asked = format!("code={}&address={}", form(&code(mail)), form(address));
            let page = served.post("/check", &asked);
            assert!(page.contains("The mail server took it"), "{page}");
            assert!(!page.contains("2003"), "{page}");
        }
        assert!(!mails.is_empty());
    }
}

/// The number by which rows name somebody.
fn subject_of(office: &Office, person: &SitePerson) -> String {
    let mut subjects = office.subjects().into_iter();
    subjects.find(|(_, account)| *account == person.id).unwrap().0
}

/// Writes as the owner of the database does.
fn write(office: &Office, statement: &str) {
    Owner::of(office).write(statement);
}

/// A token of 32 bytes that are 0.
const TOKEN: &str = "/reset/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Python: sha256 of b"\0" * 32, of b"countersign reset token\0" + b"\0" * 32, and of b"A" * 43.
const DIGESTS: [&str; 3] = [
    "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925",
    "eacc99ed8ec6f42b642e5c00e94d70f8e8db283f752dfa9b2365712e5ab2724f",
    "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a",
];

fn made_link(backend: Backend, number: u64, subject: &str, digest: &str) -> String {
    let (overriding, digest) = match backend {
        Backend::Sqlite => ("", format!("x'{digest}'")),
        Backend::Postgres => ("OVERRIDING SYSTEM VALUE ", format!("'\\x{digest}'::bytea")),
    };
    format!(
        "INSERT INTO reset_link (id, subject, made_at, digest, binding, mailed_at, expires_at, \
         superseded) {overriding}SELECT {number}, {subject}, made_at, {digest}, {digest}, \
         mailed_at, expires_at, FALSE FROM reset_link WHERE id = 1"
    )
}

#[test]
fn nobody_but_countersign_makes_a_link() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let office = &scene.office;
        let [jane, mallory] = [office.plain()[0], office.plain()[1]];
        let served = scene.serve();
        let asked = scene.ask(&served, mallory, 1);
        let [hers, mallorys] = [jane, mallory].map(|person| subject_of(office, person));

        // Her own link, made one to another account.
        write(office, &format!("UPDATE reset_link SET subject = {hers}"));
        assert!(choose(&served, &asked, CHOSEN).contains(DEAD));

        // A token of her own, with what can be made of it without a key.
        for (number, digest) in (100..).zip(DIGESTS) {
            write(office, &made_link(backend, number, &hers, digest));
        }
        assert!(choose(&served, TOKEN, CHOSEN).contains(DEAD));
        assert!(!scene.lets_in(jane, CHOSEN) && !scene.lets_in(jane, leaked(jane)));

        // Hers works as it was mailed, and not again.
        write(office, &format!("UPDATE reset_link SET subject = {mallorys} WHERE id = 1"));
        assert!(!choose(&served, &asked, CHOSEN).contains(DEAD));
        assert!(scene.lets_in(mallory, CHOSEN));
        write(office, "UPDATE reset_link SET used_at = NULL, superseded = FALSE");
        assert!(choose(&served, &asked, "a branch of nine pears").contains(DEAD));
        assert!(scene.lets_in(mallory, CHOSEN));
    }
}

/// Nothing leaves before this is long over.
const PAUSE: &str = "INSERT INTO sending_pause SELECT 1, 1700000000000000, 3600000000, \
                     MAX(at) + 3000000000, NULL, 'connect', NULL, 'down' FROM log_entry";

#[test]
fn a_letter_goes_to_whom_it_was_written_for() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let office = &scene.office;
        let [jane, mallory] = [office.plain()[0], office.plain()[1]];
        let told = office.mails();
        office.instance.ask(PAUSE);
        let served = scene.serve();
        for (count, person) in [(1, jane), (2, mallory)] {
            type_address(&served, person);
            let made = "SELECT COUNT(*) FROM requested_notice WHERE kept IS NOT NULL";
            wait_until(|| office.instance.ask(made).contains(&count.to_string()));
        }
        let swapped = "UPDATE requested_notice SET kept = other.kept, \
                       wrapped_key = other.wrapped_key FROM (SELECT * FROM requested_notice) \
                       AS other WHERE other.notice <> requested_notice.notice";
        office.instance.ask("CREATE TABLE letters AS SELECT * FROM requested_notice");
        office.instance.ask(swapped);
        drop(served);
        office.instance.ask("DELETE FROM sending_pause");
        let run = office.try_to_work();
        assert!(run.stderr.contains("is not as the audit log says"), "{}", run.stderr);
        assert_eq!((run.code, office.mails().len()), (3, told.len()));

        office.instance.ask(
            "UPDATE requested_notice SET kept = letters.kept, wrapped_key = letters.wrapped_key \
             FROM letters WHERE letters.notice = requested_notice.notice",
        );
        office.instance.ask("UPDATE notice SET not_before = 0 WHERE state = 'pending'");
        office.work();
        for person in [jane, mallory] {
            assert_eq!(office.mails()[office.address(person)].len(), 2);
        }
    }
}

/// What leads from her code to her address is made to lead to his.
struct Redirection {
    table: &'static str,
    statements: [&'static str; 2],
}

const REDIRECTIONS: [Redirection; 3] = [
    Redirection {
        table: "campaign_address",
        statements: [
            "UPDATE campaign_address SET address_key = $NOBODY WHERE number = $HIS",
            "UPDATE campaign_address SET address_key = (SELECT address_key FROM \
             kept_campaign_address WHERE number = $HIS) WHERE number = $HERS",
        ],
    },
    Redirection {
        table: "notice",
        statements: [
            "UPDATE notice SET code_lookup = NULL WHERE address = $HERS",
            "UPDATE notice SET code_lookup = (SELECT code_lookup FROM kept_notice \
             WHERE address = $HERS) WHERE address = $HIS",
        ],
    },
    Redirection {
        table: "requested_notice",
        statements: [
            "UPDATE requested_notice SET address_key = $NOBODY WHERE subject = $HIM",
            "UPDATE requested_notice SET address_key = (SELECT address_key FROM \
             kept_requested_notice WHERE subject = $HIM) WHERE subject = $HER",
        ],
    },
];

#[test]
fn a_code_is_confirmed_for_no_address_but_the_one_that_it_was_sent_to() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let office = &scene.office;
        let [him, her] = [office.plain()[0], office.plain()[1]];
        let served = scene.serve();
        for person in [him, her] {
            scene.ask(&served, person, 1);
        }
        let owner = Owner::of(office);
        let hers = office.mails().remove(office.address(her)).unwrap();
        let confirmed = |whom| hers.iter().filter(|mail| is_confirmed(&served, mail, whom)).count();
        let (to_him, to_her) = (office.address(him), office.address(her));
        for Redirection { table, statements } in REDIRECTIONS {
            owner.keep(&[table]);
            for statement in statements {
                owner.write(&statement_about(&owner, statement, office, [him, her]));
            }
            assert_eq!((confirmed(to_him), confirmed(to_her)), (0, hers.len() - 1), "{table}");
            owner.put_back(&[table]);
        }
        assert_eq!((confirmed(to_him), confirmed(to_her)), (0, hers.len()));
    }
}

/// With their subjects and addresses put in.
fn statement_about(
    owner: &Owner,
    statement: &str,
    office: &Office,
    people: [&SitePerson; 2],
) -> String {
    let [him, her] = people.map(|person| subject_of(office, person));
    let address = |subject: &str| format!("(SELECT address FROM target WHERE subject = {subject})");
    let statement = statement.replace("$NOBODY", &owner.bytes(&[0; 32]));
    let statement = statement.replace("$HERS", &address(&her)).replace("$HIS", &address(&him));
    statement.replace("$HER", &her).replace("$HIM", &him)
}

fn is_confirmed(served: &Served, mail: &TakenMail, address: &str) -> bool {
    let asked = format!("code={}&address={}", form(&code(mail)), form(address));
    served.post("/check", &asked).contains("This notice is from us")
}
