//! Whoever can write to our database has nobody get a leaked password back, nor read when it was taken from
//! them.

use crate::{
    attacker::Owner,
    harness::Backend,
    office::leaked,
    way_back::{ANSWER, CHOSEN, ResetScene, choose, form},
};

/// What makes our pages forget which passwords are leaked.
const HARMS: [&[&str]; 4] = [
    &["UPDATE reset_line SET intended_at = 1046476800000000"],
    &["DELETE FROM reset_line"],
    &["UPDATE reset_line SET wrapped_key = NULL, kept = NULL"],
    &["UPDATE reset_line SET recalled_at = 1"],
];

#[test]
fn a_leaked_password_does_not_do_again_by_any_row() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let (office, person) = (&scene.office, scene.office.plain()[0]);
        let served = scene.serve();
        let owner = Owner::of(office);
        let link = scene.ask(&served, person, 1);
        owner.keep(&["reset_line", "finding"]);
        for harm in HARMS {
            owner.write("UPDATE finding SET wrapped_key = NULL, sealed_secret = NULL");
            owner.write_all(harm);
            let page = choose(&served, &link, leaked(person));
            assert!(!page.contains("Your password is changed"), "{harm:?}: {page}");
            assert!(!scene.lets_in(person, leaked(person)), "{harm:?}");
            owner.put_back(&["reset_line", "finding"]);
        }
        choose(&served, &link, CHOSEN);
        assert!(scene.lets_in(person, CHOSEN));
    }
}

#[test]
fn an_answer_says_when_a_password_was_taken_out_of_use_by_the_log() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let person = scene.office.plain()[0];
        let served = scene.serve();
        let forged = "UPDATE reset_line SET intended_at = 1046476800000000";
        Owner::of(&scene.office).write(forged);
        served.post("/affected", &format!("address={}", form(&person.email)));
        let answer = scene.mail(person, ANSWER, 1).text().replace('\n', " ");
        assert!(answer.contains("switched it off on"), "{answer}");
        assert!(!answer.contains("2003"), "{answer}");
    }
}
