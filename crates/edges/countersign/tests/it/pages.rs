//! People check a notice that they got, in a browser, on what `countersign serve` answers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use testkit::{
    browser::{Seen, Tour, Toured, browse},
    workspace,
};

use crate::{
    german,
    harness::Backend,
    office::{CAMPAIGN, Office},
    serve::Served,
};

const DESKTOP: u32 = 1280;
pub(crate) const PHONE: u32 = 390;

/// A code of the right form, that no notice has.
const OTHER_CODE: &str = "783F-RXY0-JVRP-Z08M";

/// Set to 1, the pictures in `docs/screenshots` are taken anew.
const UPDATE_VARIABLE: &str = "COUNTERSIGN_UPDATE_SCREENSHOTS";

/// More than this is not fit for a repository.
const PICTURE_BYTES_MAX: u64 = 72 * 1024;

/// Somebody who got a notice.
struct NoticeReader {
    address: String,
    username: String,
    code: String,
    subject: String,
}

/// A campaign whose mails are out, and whose pages are up.
struct Scene {
    office: Office,
    served: Served,
    reader: NoticeReader,
}

impl Scene {
    fn open() -> Self {
        let mut office = Office::open(Backend::Sqlite);
        // Each tour comes from an address of its own, as far as its proxy says.
        office.instance.set("COUNTERSIGN_SERVE_PEOPLE_TRUSTED_PROXY", "127.0.0.1");
        office.start("");
        office.work();
        let reader = NoticeReader::of(&office);
        let served = Served::start(&office.instance);
        Self { office, served, reader }
    }

    /// Somebody's way, from an address of their own.
    fn tour(&self, client: usize) -> Tour {
        let forwarded = format!("198.51.100.{client}");
        let origin = format!("http://{}", self.served.address);
        Tour::of(&origin).header("X-Forwarded-For", &forwarded)
    }

    /// Tries in vain, then checks what came, then says that it is not right.
    fn walk(&self, tour: Tour, pictures: &Pictures) -> Tour {
        let (code, address) = (&self.reader.code, &self.reader.address);
        let typed = code.to_lowercase().replace('-', " ");
        let tour = tour.open("/").look(pictures.named("home").as_deref());
        let tour = tour.open("/notices").look(pictures.named("notices").as_deref());
        let tour = tour.open("/check").look(pictures.named("check").as_deref());
        let tour = check(tour, OTHER_CODE, address).look(pictures.named("unconfirmed").as_deref());
        let tour = check(tour, &typed, address).look(pictures.named("confirmed").as_deref());
        tour.press("This is not right").look(pictures.named("disputed").as_deref())
    }
}

impl NoticeReader {
    fn of(office: &Office) -> Self {
        let mails = office.mails();
        let (address, mail) = mails.iter().find(|(_, mails)| !mails.is_empty()).unwrap();
        let text = mail[0].text();
        let is_code = |line: &&str| line.len() == 19 && line.matches('-').count() == 3;
        let head = String::from_utf8_lossy(&mail[0].bytes).into_owned();
        let subject = head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap();
        let username = text.lines().next().unwrap().trim_start_matches("Hello ");
        Self {
            address: address.clone(),
            username: username.trim_end_matches(',').to_owned(),
            code: text.lines().find(is_code).unwrap().to_owned(),
            subject: subject.trim().to_owned(),
        }
    }
}

/// Where pictures go, if any are taken.
pub(crate) struct Pictures(Option<PathBuf>, String);

impl Pictures {
    pub(crate) fn of(width: u32, dark: bool, scripts: bool) -> Self {
        let wanted = std::env::var(UPDATE_VARIABLE).is_ok_and(|value| value == "1");
        let (device, theme) =
            (if width == PHONE { "phone" } else { "desktop" }, if dark { "dark" } else { "light" });
        // Two of the four are enough to know them by, and they look the same without scripts.
        let kept = wanted && scripts && (width == PHONE) == dark;
        let folder = workspace().join("docs/screenshots");
        Self(kept.then_some(folder), format!("{device}.{theme}"))
    }

    pub(crate) fn named(&self, page: &str) -> Option<PathBuf> {
        let Self(folder, kind) = self;
        folder.as_ref().map(|folder| folder.join(format!("{page}.{kind}.png")))
    }
}

fn check(tour: Tour, code: &str, address: &str) -> Tour {
    let tour = tour.fill("Notice code", code).fill("E-mail address", address);
    tour.press("Check this notice")
}

/// On every device, in every theme, with and without scripts.
pub(crate) fn ways() -> impl Iterator<Item = (u32, bool, bool)> {
    let widths = [DESKTOP, PHONE].into_iter();
    let themed = widths.flat_map(|width| [(width, false), (width, true)]);
    themed.flat_map(|(width, dark)| [(width, dark, true), (width, dark, false)])
}

#[test]
fn whoever_got_a_notice_can_check_it_and_object() {
    let scene = Scene::open();
    let tours = ways().enumerate().map(|(at, (width, dark, scripts))| {
        let tour = scene.tour(at + 1).width(width).dark(dark).scripts(scripts);
        let pictures = Pictures::of(width, dark, scripts);
        scene.walk(tour, &pictures)
    });
    let tours: Vec<_> = tours.collect();
    let toured = browse(&tours);
    for (toured, (_, dark, _)) in toured.iter().zip(ways()) {
        assert_is_clean(toured);
        assert_is_told(&toured.seen, &scene.reader);
        assert_eq!(is_dark(&toured.seen[0]), dark, "{:?}", toured.seen[0].colours);
    }
    let log = scene.served.stop();
    assert_is_discreet(&log, &scene.reader);
    assert_eq!(disputes(&scene.office), 1);
    assert_pictures_are_small();
}

/// Nothing that a judge of pages minds.
pub(crate) fn assert_is_clean(toured: &Toured) {
    assert_eq!(toured.foreign, [""; 0]);
    assert_eq!(toured.complaints, [""; 0]);
    for seen in &toured.seen {
        assert_eq!(seen.faults, [""; 0], "{}", seen.title);
        assert_eq!(seen.small, [""; 0], "{}", seen.title);
        assert!(!seen.narrow, "{} must be scrolled sideways", seen.title);
    }
}

fn assert_is_told(seen: &[Seen], reader: &NoticeReader) {
    let titles: Vec<_> = seen.iter().map(|seen| seen.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Account security – Example",
            "Security notices – Example",
            "Check a notice – Example",
            "We could not confirm this notice – Example",
            "This notice is from us – Example",
            "Thank you for telling us – Example",
        ]
    );
    let confirmed = &seen[4].text;
    assert!(confirmed.contains(&reader.subject), "{confirmed}");
    assert!(confirmed.contains("Sent. The mail server took it."), "{confirmed}");
    assert!(confirmed.contains("Sign in › Forgot password"), "{confirmed}");
    for seen in seen {
        assert!(!seen.text.contains(&reader.address), "{}", seen.text);
        assert!(!seen.text.contains(&reader.username), "{}", seen.text);
    }
}

fn is_dark(seen: &Seen) -> bool {
    seen.colours == ["rgb(21, 25, 29)", "rgb(233, 236, 239)"]
}

/// The log of all that tells nobody what was typed.
fn assert_is_discreet(log: &str, reader: &NoticeReader) {
    assert!(log.contains(r#""method":"POST","path":"/check","status":200"#), "{log}");
    for secret in [&reader.address, &reader.code, &reader.code.replace('-', " ")] {
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()), "{log}");
    }
    assert!(!log.contains("198.51.100."), "{log}");
}

/// Objections that stand in the audit log.
fn disputes(office: &Office) -> usize {
    office.run(&["log", "show"]).stdout.matches("notice_disputed").count()
}

pub(crate) fn assert_pictures_are_small() {
    let folder = workspace().join("docs/screenshots");
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let bytes = fs::metadata(&path).unwrap().len();
        assert!(bytes <= PICTURE_BYTES_MAX, "{} has {bytes} bytes", name(&path));
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn a_right_code_with_another_address_is_answered_like_no_code_at_all() {
    let scene = Scene::open();
    let answers = [
        ("", ""),
        (OTHER_CODE, "nobody@example.org"),
        (&*scene.reader.code, "nobody@example.org"),
        (OTHER_CODE, &*scene.reader.address),
    ];
    let answers = answers.map(|(code, address)| {
        let answer = scene.served.post("/check", &format!("code={code}&address={address}"));
        // The moment of the answer is the only thing that may differ.
        answer.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
    });
    assert!(answers[0].contains("We could not confirm this notice"), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let NoticeReader { code, address, .. } = &scene.reader;
    let right = scene.served.post("/check", &format!("code={code}&address={address}"));
    assert!(right.contains("This notice is from us"), "{right}");
    scene.served.stop();
    assert_eq!(disputes(&scene.office), 0, "{CAMPAIGN}");
}

#[test]
fn the_keyboard_finds_its_way_and_german_is_kept() {
    let scene = Scene::open();
    let keyed = scene.tour(1).open("/check").key("Tab").look(None);
    let NoticeReader { code, address, .. } = &scene.reader;
    let tour = scene.tour(2).language("de-DE").width(320).open("/check").look(None);
    let tour = tour.fill(german::CODE, code).fill(german::ADDRESS, address);
    let tour = tour.press(german::CHECK).look(None).press(german::DISPUTE).look(None);
    let toured = browse(&[keyed, tour]);
    toured.iter().for_each(assert_is_clean);
    assert_eq!(toured[0].seen[0].focus, "Skip to content");
    let titles: Vec<_> = toured[1].seen.iter().map(|seen| seen.title.as_str()).collect();
    assert_eq!(titles, german::TITLES.map(|title| format!("{title} – Example")));
    scene.served.stop();
}
