//! Debian's Chromium, and what it sees on our pages.

use std::{collections::BTreeMap, io::Write as _, path::Path, process::Stdio};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::python;

/// A way through pages, by somebody with a window of a certain width and certain wishes.
#[derive(Debug, Clone, Serialize)]
pub struct Tour {
    origin: String,
    width: u32,
    dark: bool,
    scripts: bool,
    language: String,
    headers: BTreeMap<String, String>,
    steps: Vec<Value>,
}

impl Tour {
    /// On a desktop that prefers light pages in English.
    #[must_use]
    pub fn of(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            width: 1280,
            dark: false,
            scripts: true,
            language: "en-GB".to_owned(),
            headers: BTreeMap::new(),
            steps: Vec::new(),
        }
    }

    /// In a window of this width.
    #[must_use]
    pub fn width(self, width: u32) -> Self {
        Self { width, ..self }
    }

    /// Prefers dark pages, or light ones.
    #[must_use]
    pub fn dark(self, dark: bool) -> Self {
        Self { dark, ..self }
    }

    /// Lets scripts run, or none.
    #[must_use]
    pub fn scripts(self, scripts: bool) -> Self {
        Self { scripts, ..self }
    }

    /// Asks for another language.
    #[must_use]
    pub fn language(self, language: &str) -> Self {
        Self { language: language.to_owned(), ..self }
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Opens a page.
    #[must_use]
    pub fn open(self, path: &str) -> Self {
        self.step(json!({ "open": path }))
    }

    /// Types into the field that has this label.
    #[must_use]
    pub fn fill(self, label: &str, text: &str) -> Self {
        self.step(json!({ "fill": [label, text] }))
    }

    /// Presses the button of this name.
    #[must_use]
    pub fn press(self, button: &str) -> Self {
        self.step(json!({ "press": button }))
    }

    /// Follows the first link whose name has this in it.
    #[must_use]
    pub fn follow(self, link: &str) -> Self {
        self.step(json!({ "follow": link }))
    }

    /// Presses a key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.step(json!({ "key": key }))
    }

    /// Looks at the page, and takes a picture if there is a file for it.
    #[must_use]
    pub fn look(self, picture: Option<&Path>) -> Self {
        self.step(json!({ "look": picture }))
    }

    fn step(mut self, step: Value) -> Self {
        self.steps.push(step);
        self
    }
}

/// What came of a tour.
#[derive(Debug, Deserialize)]
pub struct Toured {
    /// Requests to any other origin.
    pub foreign: Vec<String>,
    /// What the browser complained of, such as violations of a page's policy.
    pub complaints: Vec<String>,
    /// What was seen at each look.
    pub seen: Vec<Seen>,
}

/// A page as a person has it before them.
#[derive(Debug, Deserialize)]
pub struct Seen {
    /// The title of the window.
    pub title: String,
    /// All text that shows.
    pub text: String,
    /// The path of the address.
    pub path: String,
    /// The text of what has the keyboard.
    pub focus: String,
    /// What axe finds.
    pub faults: Vec<String>,
    /// Whether one must scroll sideways.
    pub narrow: bool,
    /// What is too small for a finger.
    pub small: Vec<String>,
    /// Background and text.
    pub colours: [String; 2],
}

/// Walks through all of them with one browser, each with a fresh profile.
///
/// # Panics
/// If the browser fails, or a step cannot be taken.
#[must_use]
pub fn browse(tours: &[Tour]) -> Vec<Toured> {
    let mut judge = python("browse.py");
    let judge = judge.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut judge = judge.spawn().expect("Python starts");
    let mut stdin = judge.stdin.take().expect("it is piped");
    stdin.write_all(json!(tours).to_string().as_bytes()).expect("the tours are taken");
    drop(stdin);
    let output = judge.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("browse.py has not failed")
}
