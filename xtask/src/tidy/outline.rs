//! What a Rust file declares, imports and names, read without a compiler.

use super::tokens::{Token, tokens};

const TYPE_WORDS: &[&str] = &["struct", "enum", "union", "trait", "type"];
const VALUE_WORDS: &[&str] = &["fn", "const", "static"];

/// What stands for every name of a module in `use module::*`.
pub(crate) const EVERYTHING: &str = "*";

/// Names between colons.
pub(crate) type Path = Vec<String>;

/// A module of a file, without what only tests see.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Structs, enums, unions, traits and aliases.
    pub(crate) types: Vec<String>,
    /// Types, and all else that has a name.
    pub(crate) items: Vec<String>,
    pub(crate) imports: Vec<Import>,
    /// Every path and single name in the code.
    pub(crate) mentions: Vec<Path>,
    /// Modules in files of their own.
    pub(crate) files: Vec<String>,
    /// Modules that stand in this one.
    pub(crate) inner: Vec<(String, Self)>,
}

/// A name that a `use` brings into a module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) path: Path,
    /// Whether others see it too, so that it is a way to a thing and no use of it.
    pub(crate) reexported: bool,
}

/// Reads a file.
pub(crate) fn outline(text: &str) -> Outline {
    let tokens = tokens(text);
    Reader { tokens: &tokens, at: 0 }.module()
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads until the brace that ends the module.
    fn module(&mut self) -> Outline {
        let mut outline = Outline::default();
        // Whether items may stand within each of the braces that are open.
        let mut open = vec![true];
        while let Some(token) = self.peek(0) {
            match token {
                Token::Sign('#') if self.attribute(&mut outline) => continue,
                Token::Sign('{') => {
                    let items = open.last() == Some(&true) && self.follows(Token::Sign('!'));
                    open.push(items);
                }
                Token::Sign('}') => {
                    open.pop();
                }
                Token::Word(word) => {
                    self.word(word, open.last() == Some(&true), &mut outline);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if open.is_empty() {
                break;
            }
        }
        outline
    }

    fn word(&mut self, word: &str, items: bool, outline: &mut Outline) {
        match (word, self.peek(1), self.peek(2)) {
            ("use", Some(Token::Word(_) | Token::Colons | Token::Sign('{')), _) => {
                let reexported = self.follows(Token::Word("pub")) || self.follows(Token::Sign(')'));
                self.at += 1;
                self.import(&[], reexported, &mut outline.imports);
            }
            ("mod", Some(Token::Word(name)), Some(Token::Sign(';'))) => {
                outline.files.push(name.to_owned());
                self.at += 3;
            }
            ("mod", Some(Token::Word(name)), Some(Token::Sign('{'))) => {
                self.at += 3;
                outline.inner.push((name.to_owned(), self.module()));
            }
            ("macro_rules", _, Some(Token::Word(name))) => {
                outline.items.push(name.to_owned());
                self.at += 3;
            }
            (_, Some(Token::Word(name)), _) if items && defines(word, name) => {
                if TYPE_WORDS.contains(&word) {
                    outline.types.push(name.to_owned());
                }
                outline.items.push(name.to_owned());
                self.at += 2;
            }
            (_, Some(Token::Sign('!')), _) if items => self.macro_call(outline),
            _ => self.mention(outline),
        }
    }

    /// A macro that is given a type's name and no more is one that defines it.
    fn macro_call(&mut self, outline: &mut Outline) {
        self.mention(outline);
        let start = self.at;
        self.at += 2;
        while self.peek(0) == Some(Token::Sign('#')) && self.attribute(outline) {}
        match (self.peek(0), self.peek(1)) {
            (Some(Token::Word(name)), Some(Token::Sign('}' | ')')))
                if name.starts_with(char::is_uppercase) =>
            {
                outline.types.push(name.to_owned());
                outline.items.push(name.to_owned());
            }
            _ => {}
        }
        self.at = start;
    }

    fn mention(&mut self, outline: &mut Outline) {
        let member = self.follows(Token::Sign('.')) || self.follows(Token::Colons);
        let path = self.path();
        if !member {
            outline.mentions.push(path);
        }
    }

    fn path(&mut self) -> Path {
        let mut path = Vec::new();
        while let Some(Token::Word(name)) = self.peek(0) {
            path.push(name.to_owned());
            self.at += 1;
            match (self.peek(0), self.peek(1)) {
                (Some(Token::Colons), Some(Token::Word(_))) => self.at += 1,
                _ => break,
            }
        }
        path
    }

    /// Passes an attribute, and with `#[cfg(test)]` what it stands at.
    fn attribute(&mut self, outline: &mut Outline) -> bool {
        let inner = usize::from(self.peek(1) == Some(Token::Sign('!')));
        if self.peek(1 + inner) != Some(Token::Sign('[')) {
            return false;
        }
        self.at += 2 + inner;
        let start = self.at;
        let mut depth = 1;
        while let (1.., Some(token)) = (depth, self.peek(0)) {
            match token {
                Token::Sign('[') => depth += 1,
                Token::Sign(']') => depth -= 1,
                Token::Word(_) => {
                    self.mention(outline);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        if let [Token::Word("cfg"), Token::Sign('('), Token::Word("test"), ..] =
            &self.tokens[start..self.at]
        {
            self.skip_item();
        }
        true
    }

    /// Passes all up to the semicolon or the braces that end an item.
    fn skip_item(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.peek(0) {
            match token {
                Token::Sign('{' | '(' | '[') => depth += 1,
                Token::Sign('}' | ')' | ']') if depth == 0 => return,
                Token::Sign('}' | ')' | ']') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            let ends = matches!(token, Token::Sign(';' | '}'));
            if depth == 0 && ends && self.peek(0) != Some(Token::Sign(';')) {
                return;
            }
        }
    }

    /// Reads one branch of a `use`.
    fn import(&mut self, before: &[String], reexported: bool, imports: &mut Vec<Import>) {
        let mut path = before.to_vec();
        if self.peek(0) == Some(Token::Colons) {
            // Another crate: no module of ours has an empty name.
            path.push(String::new());
            self.at += 1;
        }
        path.extend(self.path());
        if self.peek(0) == Some(Token::Colons) {
            self.at += 1;
        }
        if self.peek(0) == Some(Token::Sign('{')) {
            return self.branches(&path, reexported, imports);
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(name) = self.imported_name(&path) {
            imports.push(Import { name, path, reexported });
        }
    }

    fn branches(&mut self, path: &[String], reexported: bool, imports: &mut Vec<Import>) {
        while let Some(Token::Sign('{' | ',')) = self.peek(0) {
            self.at += 1;
            if self.peek(0) != Some(Token::Sign('}')) {
                self.import(path, reexported, imports);
            }
        }
        self.at += 1;
    }

    /// The name at the end of a branch, which `as` may replace.
    fn imported_name(&mut self, path: &[String]) -> Option<String> {
        match (self.peek(0), self.peek(1)) {
            (Some(Token::Word("as")), Some(Token::Word(name))) => {
                self.at += 2;
                Some(name.to_owned())
            }
            (Some(Token::Sign('*')), _) => {
                self.at += 1;
                Some(EVERYTHING.to_owned())
            }
            _ => path.last().cloned(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).copied()
    }

    /// Whether the token before is this one.
    fn follows(&self, token: Token<'_>) -> bool {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) == Some(&token)
    }
}

fn defines(word: &str, name: &str) -> bool {
    let kept = VALUE_WORDS.contains(&name)
        || [concat!("un", "safe"), "async", "extern", "mut"].contains(&name);
    (TYPE_WORDS.contains(&word) || VALUE_WORDS.contains(&word)) && !kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_items(text: &str, items: &[&str], types: &[&str]) {
        let outline = outline(text);
        assert_eq!(outline.items, items, "{text}");
        assert_eq!(outline.types, types, "{text}");
    }

    #[track_caller]
    fn check_imports(text: &str, expected: &[(&str, &str)]) {
        let imports = outline(text).imports;
        let found = imports.iter().map(|import| (import.name.as_str(), import.path.join("::")));
        let expected = expected.iter().map(|(name, path)| (*name, (*path).to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{text}");
    }

    #[track_caller]
    fn check_mentions(text: &str, expected: &str) {
        let mentions = outline(text).mentions;
        let mentions: Vec<_> = mentions.iter().map(|path| path.join("::")).collect();
        assert_eq!(mentions.join(" "), expected, "{text}");
    }

    #[test]
    fn items_have_names() {
        check_items("pub struct A { b: u8 } enum C {}", &["A", "C"], &["A", "C"]);
        check_items("pub const fn a() { struct B; } const C: fn(u8) = a;", &["a", "C"], &[]);
        check_items("impl X { type Y = u8; fn z() {} }", &[], &[]);
        check_items("macro_rules! a { () => { struct B; } }", &["a"], &[]);
    }

    #[test]
    fn macros_define_types() {
        check_items("state! { /// Doc.\n #[a] pub enum B { C } }", &["B"], &["B"]);
        check_items("row_id! {\n /// Doc.\n #[a] B }", &["B"], &["B"]);
        check_items("fn a() { row_id!(B); }", &["a"], &[]);
        check_items("stored!(B, C); name! { pub struct D; is_word }", &["D"], &["D"]);
    }

    #[test]
    fn a_use_is_a_tree() {
        check_imports(
            "use a::{self, b::C, d::{e as f, *},};",
            &[("a", "a"), ("C", "a::b::C"), ("f", "a::d::e"), ("*", "a::d")],
        );
        check_imports("fn f() { use ::a::B; }", &[("B", "::a::B")]);
        check_imports("fn f() -> impl A + use<'_> {}", &[]);
        assert!(outline("pub(crate) use a::B;").imports[0].reexported);
        assert!(!outline("struct A(u8); use a::B;").imports[0].reexported);
    }

    #[test]
    fn code_mentions_names() {
        check_mentions("fn f() { a::b::<c>(); d.e(); <F as G>::h() }", "a::b c d F as G");
        check_mentions("#[with(a::b)] struct C;", "with a::b");
    }

    #[test]
    fn what_only_tests_see_is_left_out() {
        check_items("#[cfg(test)] mod a { fn b() {} } fn c() {}", &["c"], &[]);
        check_items("#[cfg(test)] #[d(e)] fn a() {} fn c() {}", &["c"], &[]);
        check_imports("#[cfg(test)] use a::{b}; use c::D;", &[("D", "c::D")]);
        check_items("struct A { #[cfg(test)] b: u8 } fn c() {}", &["A", "c"], &["A"]);
        assert!(outline("#[cfg(test)] mod a;").files.is_empty());
    }

    #[test]
    fn modules_stand_in_files_or_in_place() {
        let outline = outline("mod a; pub(crate) mod b { fn c() {} } fn d() {}");
        assert_eq!(outline.files, ["a"]);
        assert_eq!(outline.items, ["d"]);
        let [(name, inner)] = outline.inner.as_slice() else { panic!("one module") };
        assert_eq!((name.as_str(), inner.items.as_slice()), ("b", ["c".to_owned()].as_slice()));
    }
}
