//! Campaigns from the first finding to the last mail.

use std::collections::BTreeSet;

use crate::{
    harness::Backend,
    office::{CAMPAIGN, Office},
};

#[test]
fn everybody_exposed_is_sealed_and_told_once_and_nobody_else() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start();
        let worked = office.work();
        assert_eq!(worked.code, 0, "{}", worked.stderr);
        let report = office.report();
        println!("{report:#}");
        println!("{:#}", office.run(&["campaign", "status", CAMPAIGN]).stdout);
        let mails = office.mails();
        println!("{:?}", mails.iter().map(|(a, m)| (a, m.len())).collect::<Vec<_>>());
        assert_eq!(report["state"], "done");
        let _: BTreeSet<String> = mails.keys().cloned().collect();
    }
}
