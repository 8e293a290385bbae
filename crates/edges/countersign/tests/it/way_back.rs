//! Sealed people come back through our own pages, and Django says whether they are in.

use std::{net::TcpListener, thread, time::Duration};

use instance::failpoint::RESET_FAILPOINTS;
use serde_json::json;
use testkit::{
    browser::{Tour, browse},
    site::SitePerson,
    smtp::TakenMail,
};

use crate::{
    harness::Backend,
    office::{Office, leaked, wait_until},
    operators,
    pages::{Pictures, assert_is_clean, assert_pictures_are_small, ways},
    people,
    serve::Served,
};

pub(crate) const CHOSEN: &str = "seven plums on a rainy roof";

const SECOND: &str = "nine pears under a quiet bridge";

/// A campaign whose mails are out, with the pages for coming back.
pub(crate) struct ResetScene {
    pub(crate) office: Office,
    port: u16,
}

impl ResetScene {
    pub(crate) fn open(backend: Backend) -> Self {
        Self::of(Office::open(backend))
    }

    pub(crate) fn of(office: Office) -> Self {
        let scene = Self::with_pages(office);
        scene.office.freeze("");
        sign(&scene.office);
        scene.office.work();
        scene
    }

    /// With the pages, and nothing that has happened.
    pub(crate) fn with_pages(mut office: Office) -> Self {
        let port = free_port();
        office.instance.set("COUNTERSIGN_RECOVERY_MODE", "countersign");
        let url = format!("http://127.0.0.1:{port}");
        office.instance.set("COUNTERSIGN_RECOVERY_PAGES_URL", &url);
        Self { office, port }
    }

    pub(crate) fn serve(&self) -> Served {
        Served::start_by(self.office.instance.command(&["serve"]), self.port)
    }

    /// Serves until it passes this moment.
    fn serve_until(&self, failpoint: &str) -> Served {
        let mut command = self.office.instance.command(&["serve"]);
        command.env("FAILPOINT", failpoint);
        Served::start_by(command, self.port)
    }

    /// The mails of a subject that somebody has got so far.
    fn mails(&self, person: &SitePerson, subject: &str) -> Vec<TakenMail> {
        let mails = self.office.mails().remove(self.office.address(person)).unwrap_or_default();
        let is_meant = |mail: &TakenMail| mail.subject().contains(subject);
        mails.into_iter().filter(is_meant).collect()
    }

    /// Waits for so many mails of a subject, and returns the last.
    pub(crate) fn mail(&self, person: &SitePerson, subject: &str, count: usize) -> TakenMail {
        wait_until(|| self.mails(person, subject).len() >= count);
        let mut mails = self.mails(person, subject);
        assert_eq!(mails.len(), count, "{subject}");
        mails.pop().unwrap()
    }

    /// Asks for a link as this person would; the path of the link that comes.
    pub(crate) fn ask(&self, served: &Served, person: &SitePerson, count: usize) -> String {
        type_address(served, person);
        self.link(person, count)
    }

    /// The path of the link in the last of so many mails.
    fn link(&self, person: &SitePerson, count: usize) -> String {
        let text = self.mail(person, LINK, count).text();
        let origin = format!("http://127.0.0.1:{}", self.port);
        let path = text.lines().find_map(|line| line.strip_prefix(&origin));
        path.unwrap().trim().to_owned()
    }

    pub(crate) fn lets_in(&self, person: &SitePerson, password: &str) -> bool {
        people::opens(&self.office.site, &[(&person.id, password)])[0]
    }
}

/// Three operators read the plan on their own terminals, type its count, and hand it back.
fn sign(office: &Office) {
    let plan = office.export();
    let approvals = ["ana", "bob", "cleo"]
        .map(|name| office.write(&format!("{name}.approval"), &operators::sign_plan(&plan, name)));
    assert_eq!(office.hand_in(&approvals).json()["state"], "signed");
    assert_eq!(office.steer("start").json()["state"], "canary");
}

/// What the subjects of the mails hold.
const LINK: &str = "Your link to a new";
const DONE: &str = "has a new password";
pub(crate) const ANSWER: &str = "Your question about";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// As a form sends it.
pub(crate) fn form(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Asks for a link as this person would.
pub(crate) fn type_address(served: &Served, person: &SitePerson) {
    let answer = served.post("/forgot", &format!("name={}", form(&person.email)));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

pub(crate) fn choose(served: &Served, link: &str, password: &str) -> String {
    let password = form(password);
    served.post(link, &format!("password={password}&again={password}"))
}

/// The code that a mail can be checked with.
pub(crate) fn code(mail: &TakenMail) -> String {
    let text = mail.text();
    let is_code = |line: &&str| line.len() == 19 && line.matches('-').count() == 3;
    text.lines().find(is_code).unwrap().to_owned()
}

#[test]
fn a_sealed_person_comes_back_through_our_pages_on_sqlite() {
    come_back(Backend::Sqlite);
}

#[test]
fn a_sealed_person_comes_back_through_our_pages_on_postgres() {
    come_back(Backend::Postgres);
}

fn come_back(backend: Backend) {
    let scene = ResetScene::open(backend);
    let office = &scene.office;
    let person = office.plain()[0];
    let session = office.site.sign_in(&person.id);
    assert!(!scene.lets_in(person, leaked(person)));
    let served = scene.serve();

    let link = scene.ask(&served, person, 1);
    assert!(served.get(&link).starts_with("HTTP/1.1 200"));
    let near = format!("{}1", leaked(person));
    for refused in ["short", leaked(person), &near] {
        let answer = choose(&served, &link, refused);
        assert!(answer.contains("aria-invalid"), "{refused}: {answer}");
    }
    assert!(office.site.has_session(&session));
    let chosen = choose(&served, &link, CHOSEN);
    assert!(chosen.starts_with("HTTP/1.1 200") && !chosen.contains("aria-invalid"), "{chosen}");
    assert!(!office.site.has_session(&session), "whoever was signed in is not any more");

    let name = person.username.as_str();
    let tried = office.site.authenticate_all(&[(name, CHOSEN), (name, leaked(person))]);
    assert_eq!(tried, [true, false]);
    let dead = [served.get(&link), choose(&served, &link, SECOND)];
    assert!(dead.iter().all(|answer| !answer.starts_with("HTTP/1.1 200")), "{dead:?}");
    assert!(scene.lets_in(person, CHOSEN));
    assert_is_checked(&scene, &served, person);
    let report = office.report();
    assert_eq!((&report["reset_since"], &report["reused"]), (&json!(1), &json!(0)));
    assert_log_is_silent(&served.stop(), &link, person);
}

/// Everybody is answered, and one of them has set the password.
#[test]
fn whoever_uses_a_link_many_times_at_once_keeps_nobody_waiting() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let person = scene.office.plain()[0];
        let served = scene.serve();
        let link = scene.ask(&served, person, 1);
        let words: Vec<_> = (0..20).map(|number| format!("{CHOSEN} number {number}")).collect();
        let answers: Vec<_> = thread::scope(|scope| {
            let (served, link) = (&served, &*link);
            let choosing = words.iter().map(|word| scope.spawn(move || choose(served, link, word)));
            // All of them at once.
            let choosing: Vec<_> = choosing.collect();
            choosing.into_iter().map(|chosen| chosen.join().unwrap()).collect()
        });
        let failed = answers.iter().find(|answer| answer.starts_with("HTTP/1.1 5"));
        assert_eq!(failed, None, "{}", served.stop());
        let tried: Vec<_> = words.iter().map(|word| (&*person.id, &**word)).collect();
        let opening = people::opens(&scene.office.site, &tried).into_iter().filter(|opens| *opens);
        assert_eq!(opening.count(), 1);
    }
}

/// Each of the mails that they have got is confirmed by its code.
fn assert_is_checked(scene: &ResetScene, served: &Served, person: &SitePerson) {
    let address = form(scene.office.address(person));
    for subject in ["needs a new password", LINK, DONE] {
        let code = form(&code(&scene.mail(person, subject, 1)));
        let answer = served.post("/check", &format!("code={code}&address={address}"));
        assert!(answer.contains("This notice is from us"), "{subject}: {answer}");
        assert!(answer.contains(subject), "{subject}: {answer}");
    }
}

fn assert_log_is_silent(log: &str, link: &str, person: &SitePerson) {
    assert!(log.contains(r#""path":"/reset/{token}""#), "{log}");
    for secret in [link, CHOSEN, leaked(person), &person.email] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn nobody_learns_from_a_page_who_has_an_account() {
    let scene = ResetScene::open(Backend::Sqlite);
    let office = &scene.office;
    let (person, served) = (office.plain()[0], scene.serve());
    let before = office.smtp.taken().len();
    let answer = |name: &str| {
        let answer = served.post("/forgot", &format!("name={}", form(name)));
        // What was typed stands in the page again, to be sent once more.
        let lines = answer.lines().filter(|line| !line.starts_with("date: "));
        lines.collect::<Vec<_>>().join("\n").replace(name, "").replace(&form(name), "")
    };
    let known = answer(&person.email);
    let length = person.email.len();
    for name in ["nobody@example.org".to_owned(), "x".repeat(length)] {
        let unknown = answer(&name);
        let (known, unknown) = (without_length(&known), without_length(&unknown));
        assert_eq!(known, unknown);
    }
    scene.mail(person, LINK, 1);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(office.smtp.taken().len(), before + 1, "nobody else was written to");
    served.stop();
}

fn without_length(answer: &str) -> String {
    let lines = answer.lines().filter(|line| !line.starts_with("content-length"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn whoever_asks_whether_they_were_affected_is_told_by_mail() {
    let office = Office::open(Backend::Sqlite);
    // Before any campaign, where people reset their passwords on the site's own pages.
    let (early, served) = (office.plain()[1], Served::start(&office.instance));
    ask_whether(&served, early);
    wait_until(|| !office.mails().is_empty());
    let under_review = office.mails()[office.address(early)][0].text();
    assert!(under_review.contains("have not switched it off yet"), "{under_review}");
    served.stop();

    let scene = ResetScene::of(office);
    let office = &scene.office;
    let exposed: Vec<_> = office.exposed().iter().map(|person| person.id.clone()).collect();
    let (sealed, served) = (office.plain()[0], scene.serve());
    let people = office.site.truth.people.iter();
    let mut others = people.filter(|person| person.kind == "plain" && person.password.is_some());
    let other = others.find(|person| !exposed.contains(&person.id)).unwrap();
    for person in [sealed, other] {
        ask_whether(&served, person);
    }
    let yes = scene.mail(sealed, ANSWER, 1).text();
    assert!(yes.contains("Bookshop 2016"), "{yes}");
    let no = scene.mail(other, ANSWER, 1).text();
    assert!(!no.contains("Bookshop 2016"), "{no}");
    served.stop();
}

/// Whoever can write to the store would have people believe that nothing was found.
#[test]
fn nobody_is_told_by_a_row_that_they_were_not_affected() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let office = &scene.office;
        let exposed: Vec<_> = office.exposed().iter().map(|person| person.id.clone()).collect();
        let people = office.site.truth.people.iter();
        let mut others =
            people.filter(|person| person.kind == "plain" && person.password.is_some());
        let other = others.find(|person| !exposed.contains(&person.id)).unwrap();
        office.distrust_rows();
        let sealed = office.plain()[0];
        let rehashed = match backend {
            Backend::Sqlite => "UPDATE subject SET account_hash = randomblob(32)",
            Backend::Postgres => "UPDATE subject SET account_hash = sha256(account_hash)",
        };
        for (edit, words) in [
            ("UPDATE reset_line SET recalled_at = 5", "has done to the password of person"),
            (rehashed, "has made the password that they hold"),
        ] {
            office.instance.ask(edit);
            let (told, served) = (scene.mails(other, ANSWER).len(), scene.serve());
            ask_whether(&served, sealed);
            ask_whether(&served, other);
            scene.mail(other, ANSWER, told + 1);
            assert_eq!(scene.mails(sealed, ANSWER).len(), 0);
            let log = served.stop();
            assert!(log.contains(words), "{log}");
        }
    }
}

/// Before anybody is sealed, too: while a plan waits for its signatures.
#[test]
fn nobody_is_told_by_a_row_that_no_campaign_is_about_them() {
    for backend in Backend::ALL {
        let scene = ResetScene::with_pages(Office::open(backend));
        let office = &scene.office;
        office.freeze("");
        office.distrust_rows();
        office.instance.ask(match backend {
            Backend::Sqlite => "UPDATE subject SET account_hash = randomblob(32)",
            Backend::Postgres => "UPDATE subject SET account_hash = sha256(account_hash)",
        });
        let served = scene.serve();
        for person in &office.plain()[..3] {
            ask_whether(&served, person);
        }
        wait_until(|| office.instance.has_none("mail_request"));
        assert!(office.mails().is_empty());
        let log = served.stop();
        assert_eq!(log.matches("has made the password that they hold").count(), 3, "{log}");
    }
}

/// Whatever was typed before, the next one is answered.
#[test]
fn nothing_that_can_be_typed_holds_others_up() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let (person, served) = (office.plain()[0], Served::start(&office.instance));
        let long = "x".repeat(5000);
        for typed in ["\0", "a\0b@example.org", "' OR 1 = 1 --", "%", "\u{202e}", "@", "", &long] {
            let answer = served.post("/affected", &format!("address={}", form(typed)));
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        ask_whether(&served, person);
        wait_until(|| !office.mails().is_empty());
        assert_eq!(office.told_once(), [office.address(person).to_owned()].into());
        assert!(!served.stop().contains("cannot be read"), "{backend:?}");
    }
}

#[test]
fn a_row_that_cannot_be_read_holds_nobody_else_up() {
    let office = Office::open(Backend::Sqlite);
    let (faulty, other) = (office.plain()[0], office.plain()[1]);
    let _ = office.site.django(SPOIL, &[&faulty.id]);
    office.distrust_rows();
    office.instance.ask(
        "INSERT INTO mail_request (kind, asked_at, source, wrapped_key, asked) \
         VALUES ('gossip', 0, zeroblob(32), x'', 'text')",
    );
    let served = Served::start(&office.instance);
    ask_whether(&served, faulty);
    ask_whether(&served, other);
    wait_until(|| office.mails().len() == 2);
    served.stop();
    office.told_once();
    let text = office.mails()[office.address(faulty)][0].text();
    assert!(text.contains("We found it there"), "what is proved stands: {text}");
}

#[test]
fn whoever_the_site_no_longer_lets_in_gets_no_link_and_sets_nothing() {
    let scene = ResetScene::open(Backend::Sqlite);
    let served = scene.serve();
    let [out, other] = [0, 1].map(|nth| scene.office.plain()[nth]);
    let link = scene.ask(&served, out, 1);
    people::deactivate(&scene.office.site, &out.id);
    let again = served.post("/forgot", &format!("name={}", form(&out.email)));
    assert!(again.starts_with("HTTP/1.1 200"), "{again}");
    ask_whether(&served, out);
    // Those before have had their answer by then.
    scene.ask(&served, other, 1);
    assert_eq!((scene.mails(out, LINK).len(), scene.mails(out, ANSWER).len()), (1, 0));

    let dead = choose(&served, &link, CHOSEN);
    assert!(dead.starts_with("HTTP/1.1 404"), "{dead}");
    assert!(!scene.lets_in(out, CHOSEN));
    served.stop();
}

/// Somebody's last sign-in is no moment any more.
const SPOIL: &str = "
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute('UPDATE auth_user SET last_login = %s WHERE id = %s', ['rubbish', arguments[0]])
answer = True
";

pub(crate) fn ask_whether(served: &Served, person: &SitePerson) {
    let answer = served.post("/affected", &format!("address={}", form(&person.email)));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn nobodys_mailbox_is_flooded() {
    let scene = ResetScene::open(Backend::Sqlite);
    let (person, served) = (scene.office.plain()[0], scene.serve());
    for _ in 0..8 {
        served.post("/forgot", &format!("name={}", form(&person.username)));
    }
    scene.mail(person, LINK, 3);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(scene.mails(person, LINK).len(), 3, "in an hour");
    served.stop();

    // Whoever takes away what tells of those mails, and asks again.
    scene.office.distrust_rows();
    scene.office.instance.ask("DELETE FROM requested_notice WHERE kind = 'reset_link'");
    let served = scene.serve();
    type_address(&served, person);
    scene.ask(&served, scene.office.plain()[1], 1);
    assert_eq!(scene.mails(person, LINK).len(), 3);
    served.stop();
}

/// On every device, in every theme, with and without scripts.
#[test]
fn anybody_with_a_browser_comes_back() {
    let mut office = Office::open(Backend::Sqlite);
    // Each tour comes from an address of its own, as far as its proxy says.
    office.instance.set("COUNTERSIGN_SERVE_PEOPLE_TRUSTED_PROXY", "127.0.0.1");
    let scene = ResetScene::of(office);
    let served = scene.serve();
    let people: Vec<_> = scene.office.plain().into_iter().zip(ways()).collect();
    let asking =
        people.iter().enumerate().map(|(at, (person, way))| scene.ask_tour(at, person, *way));
    let asked = browse(&asking.collect::<Vec<_>>());
    let links: Vec<_> = people.iter().map(|(person, _)| scene.link(person, 1)).collect();
    let choosing = people.iter().zip(&links).enumerate();
    let choosing =
        choosing.map(|(at, ((person, way), link))| scene.choose_tour(at, person, link, *way));
    let chosen = browse(&choosing.collect::<Vec<_>>());
    for ((asked, chosen), (person, _)) in asked.iter().zip(&chosen).zip(&people) {
        assert_is_clean(asked);
        assert_is_clean(chosen);
        let seen = asked.seen.iter().chain(&chosen.seen);
        let titles: Vec<_> = seen.map(|seen| seen.title.trim_end_matches(" – Example")).collect();
        assert_eq!(titles, TITLES);
        assert!(scene.lets_in(person, CHOSEN) && !scene.lets_in(person, leaked(person)));
    }
    assert_eq!(scene.office.report()["reset_since"], people.len());
    let log = served.stop();
    assert!(links.iter().all(|link| !log.contains(link.as_str())), "{log}");
    assert_pictures_are_small();
}

/// What somebody sees one after the other.
const TITLES: [&str; 7] = [
    "Forgot your password?",
    "Look at your e-mail",
    "Was I affected?",
    "Look at your e-mail",
    "Choose a new password",
    "Please try once more",
    "Your password is changed",
];

/// Width, darkness, scripts.
type Way = (u32, bool, bool);

impl ResetScene {
    fn tour(&self, client: usize, (width, dark, scripts): Way) -> (Tour, Pictures) {
        let origin = format!("http://127.0.0.1:{}", self.port);
        let tour = Tour::of(&origin).width(width).dark(dark).scripts(scripts);
        let tour = tour.header("X-Forwarded-For", &format!("198.51.100.{}", client + 1));
        (tour, Pictures::of(width, dark, scripts))
    }

    fn ask_tour(&self, client: usize, person: &SitePerson, way: Way) -> Tour {
        let (tour, pictures) = self.tour(client, way);
        let tour = tour.open("/forgot").look(pictures.named("forgot").as_deref());
        let tour = tour.fill("E-mail address or username", &person.username);
        let tour = tour.press("Send me a link").look(None);
        let tour = tour.open("/affected").look(None);
        tour.fill("E-mail address", &person.email).press("Send me the answer").look(None)
    }

    fn choose_tour(&self, client: usize, person: &SitePerson, link: &str, way: Way) -> Tour {
        let (tour, pictures) = self.tour(client, way);
        let tour = tour.open(link).look(pictures.named("reset").as_deref());
        let tour = set_password(tour, leaked(person)).look(None);
        set_password(tour, CHOSEN).look(None)
    }
}

fn set_password(tour: Tour, password: &str) -> Tour {
    let tour = tour.fill("New password", password).fill("The same once more", password);
    tour.press("Set the new password")
}

/// A reset that dies is finished, or has not happened, and is told of once.
#[test]
fn a_kill_while_a_password_is_set_leaves_it_set_or_not() {
    let scene = ResetScene::open(Backend::Sqlite);
    let people = scene.office.plain();
    for (person, failpoint) in people.into_iter().zip(RESET_FAILPOINTS) {
        let served = scene.serve();
        let link = scene.ask(&served, person, 1);
        served.stop();
        let served = scene.serve_until(failpoint);
        choose(&served, &link, CHOSEN);
        served.has_died();
        let is_set = scene.lets_in(person, CHOSEN);
        assert_eq!(is_set, *failpoint != "reset_intended", "{failpoint}");
        // Whoever held the link is known to be gone by now.
        thread::sleep(Duration::from_secs(3));
        let served = scene.serve();
        choose(&served, &link, SECOND);
        assert_eq!(scene.lets_in(person, SECOND), !is_set, "{failpoint}");
        assert_eq!(scene.lets_in(person, CHOSEN), is_set, "{failpoint}");
        scene.mail(person, DONE, 1);
        served.stop();
    }
    assert_eq!(scene.office.report()["reset_since"], RESET_FAILPOINTS.len());
    scene.office.run(&["log", "verify"]).json();
}

#[test]
fn settings_of_the_way_back_must_fit_together() {
    let scene = ResetScene::open(Backend::Sqlite);
    let check = |name: &'static str, value: &str| {
        let mut command = scene.office.instance.command(&["config", "check"]);
        let run: crate::harness::Run = command.env(name, value).output().unwrap().into();
        run.failure().to_owned()
    };
    for (name, value, message) in [
        ("COUNTERSIGN_RECOVERY_MODE", "site", "`recovery.pages_url` is set"),
        ("COUNTERSIGN_RECOVERY_PAGES_URL", "http://example.org", "links begin with https://"),
        ("COUNTERSIGN_RECOVERY_PASSWORD_CHARS_MIN", "7", "`recovery.password_chars_min`"),
        ("COUNTERSIGN_RECOVERY_HASH_LIKE", "nonsense", "`recovery.hash_like`"),
        ("COUNTERSIGN_RECOVERY_REFUSED_PASSWORDS_FILE", "gone.txt", "gone.txt cannot be read"),
    ] {
        let error = check(name, value);
        assert!(error.contains(message), "{name}: {error}");
    }
}
