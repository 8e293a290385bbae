//! No circle of files: each can be read before those that name something of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path as FilePath,
};

use super::outline::{EVERYTHING, Import, Outline, Path, outline};
use crate::shell::ChoreResult;

/// Names through which one looks for another before the search is given up.
const IMPORTS_FOLLOWED_MAX: usize = 32;

/// The modules that a crate's root file reaches, each after the one that it stands in.
#[derive(Debug, Default)]
pub(crate) struct Modules(Vec<Module>);

#[derive(Debug)]
struct Module {
    /// Within the crate's `src`.
    file: String,
    parent: usize,
    children: BTreeMap<String, usize>,
    outline: Outline,
}

/// Which files name something of which others, and what.
#[derive(Debug, Default)]
struct Graph(BTreeMap<(String, String), BTreeSet<String>>);

/// A sentence for each circle of a crate's files.
pub(crate) fn broken_rules(folder: &str, modules: &Modules) -> Vec<String> {
    let sentence = |circle: Vec<String>| format!("{folder} has a circle: {}", circle.join("; "));
    modules.graph().circles().into_iter().map(sentence).collect()
}

impl Modules {
    /// Reads the crate whose root is a file of this folder.
    pub(crate) fn read(folder: &FilePath, root: &str) -> ChoreResult<Self> {
        Self::from(root, &|file| fs::read_to_string(folder.join(file)).ok())
    }

    fn from(root: &str, text: &dyn Fn(&str) -> Option<String>) -> ChoreResult<Self> {
        let mut modules = Self::default();
        let whole = text(root).ok_or_else(|| format!("there is no {root}"))?;
        modules.add(0, root, "", outline(&whole), text)?;
        Ok(modules)
    }

    /// Adds a module and those in it; what stands in files of its own does so below the folder.
    fn add(
        &mut self,
        parent: usize,
        file: &str,
        folder: &str,
        mut outline: Outline,
        text: &dyn Fn(&str) -> Option<String>,
    ) -> ChoreResult<usize> {
        let id = self.0.len();
        let inner = std::mem::take(&mut outline.inner);
        let files = outline.files.clone();
        let children = BTreeMap::new();
        self.0.push(Module { file: file.to_owned(), parent, children, outline });
        for (name, outline) in inner {
            let child = self.add(id, file, &format!("{folder}{name}/"), outline, text)?;
            self.0[id].children.insert(name, child);
        }
        for name in files {
            let places = [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")];
            let found = places.iter().find_map(|place| Some((place, text(place)?)));
            let (place, whole) =
                found.ok_or_else(|| format!("no file of module {name} of {file}"))?;
            let below = format!("{folder}{name}/");
            let child = self.add(id, place, &below, self::outline(&whole), text)?;
            self.0[id].children.insert(name, child);
        }
        Ok(id)
    }

    /// Each file with the types that it defines.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|module| {
            let types = module.outline.types.iter();
            types.map(|name| (module.file.as_str(), name.as_str()))
        })
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for (id, module) in self.0.iter().enumerate() {
            let used = module.outline.imports.iter().filter(|import| !import.reexported);
            let paths = used.map(|import| &import.path).chain(&module.outline.mentions);
            for path in paths {
                if let Some(file) = self.definer(id, path, IMPORTS_FOLLOWED_MAX) {
                    graph.add(&module.file, file, path);
                }
            }
        }
        graph
    }

    /// The file that defines what a path in a module leads to. None if it is another crate's, or
    /// a module, of which nothing is used before something in it is named.
    fn definer(&self, id: usize, path: &[String], imports_left: usize) -> Option<&str> {
        let module = &self.0[id];
        let (name, rest) = path.split_first()?;
        match name.as_str() {
            "crate" => self.within(0, rest, imports_left),
            "self" => self.within(id, rest, imports_left),
            "super" => self.definer_above(module.parent, rest, imports_left),
            _ => self.known(id, name, rest, imports_left).flatten(),
        }
    }

    fn definer_above(&self, id: usize, rest: &[String], imports_left: usize) -> Option<&str> {
        match rest.split_first() {
            Some((name, rest)) if name == "super" => {
                self.definer_above(self.0[id].parent, rest, imports_left)
            }
            _ => self.within(id, rest, imports_left),
        }
    }

    /// The file that defines what a path leads to that starts in this module.
    fn within(&self, id: usize, path: &[String], imports_left: usize) -> Option<&str> {
        let (name, rest) = path.split_first()?;
        // What is not found is made by a macro, which this does not look into.
        self.known(id, name, rest, imports_left).unwrap_or(Some(&self.0[id].file))
    }

    /// None if the module has nothing of that name; else the file, where there is one.
    #[expect(clippy::option_option, reason = "a name may be known and yet lead to no file of ours")]
    fn known(
        &self,
        id: usize,
        name: &str,
        rest: &[String],
        imports_left: usize,
    ) -> Option<Option<&str>> {
        let module = &self.0[id];
        let child = module.children.get(name);
        if let (Some(child), false) = (child, rest.is_empty()) {
            return Some(self.within(*child, rest, imports_left));
        }
        if module.outline.items.iter().any(|item| item == name) {
            return Some(Some(&module.file));
        }
        let left = imports_left.checked_sub(1)?;
        let mut imports = module.outline.imports.iter();
        if let Some(import) = imports.clone().find(|import| import.name == name) {
            let path: Path = import.path.iter().chain(rest).cloned().collect();
            return Some(self.definer(id, &path, left));
        }
        let everything = imports.find_map(|import| self.among_all(id, import, name, left));
        everything.map(Some).or_else(|| child.map(|_| None))
    }

    /// The file that defines a name that `use module::*` may have brought.
    fn among_all(&self, id: usize, import: &Import, name: &str, left: usize) -> Option<&str> {
        (import.name == EVERYTHING).then_some(())?;
        let path: Path = import.path.iter().cloned().chain([name.to_owned()]).collect();
        let found = self.definer(id, &path, left)?;
        let defines = |module: &Module| {
            module.file == found && module.outline.items.iter().any(|item| item == name)
        };
        self.0.iter().any(defines).then_some(found)
    }
}

impl Graph {
    fn add(&mut self, from: &str, to: &str, path: &[String]) {
        if from != to {
            let names = self.0.entry((from.to_owned(), to.to_owned())).or_default();
            names.insert(path.last().cloned().unwrap_or_default());
        }
    }

    /// Each as lines that say who names what of whom.
    fn circles(&self) -> Vec<Vec<String>> {
        let files: BTreeSet<&str> =
            self.0.keys().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            files.iter().map(|file| (*file, self.reached(file))).collect();
        let together =
            |one: &str, other: &str| reached[one].contains(other) && reached[other].contains(one);
        let mut circles = Vec::new();
        let mut seen = BTreeSet::new();
        for file in &files {
            if reached[file].contains(file) && seen.insert(*file) {
                let circle: BTreeSet<_> =
                    files.iter().copied().filter(|other| together(file, other)).collect();
                seen.extend(&circle);
                circles.push(self.edges_among(&circle));
            }
        }
        circles
    }

    fn reached<'a>(&'a self, from: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut left = vec![from];
        while let Some(file) = left.pop() {
            let next = self.0.keys().filter(|(from, _)| from == file);
            left.extend(next.map(|(_, to)| to.as_str()).filter(|to| reached.insert(*to)));
        }
        reached
    }

    fn edges_among(&self, circle: &BTreeSet<&str>) -> Vec<String> {
        let edges = self.0.iter().filter(|((from, to), _)| {
            circle.contains(from.as_str()) && circle.contains(to.as_str())
        });
        let line = |((from, to), names): (&(String, String), &BTreeSet<String>)| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            format!("{from} -> {to} ({})", names.join(", "))
        };
        edges.map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&[&str]]) {
        let text = |file: &str| {
            let found = files.iter().find(|(name, _)| *name == file);
            found.map(|(_, text)| (*text).to_owned())
        };
        let modules = Modules::from("lib.rs", &text).unwrap();
        assert_eq!(modules.graph().circles(), expected);
    }

    #[test]
    fn files_that_name_each_other_are_a_circle() {
        check(
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B; pub struct A(B);"),
                ("b.rs", "pub struct B; fn b() -> super::a::A {}"),
            ],
            &[&["a.rs -> b.rs (B)", "b.rs -> a.rs (A)"]],
        );
    }

    #[test]
    fn a_facade_is_no_part_of_a_circle() {
        check(
            &[
                ("lib.rs", "mod a; mod b; pub use a::A; pub use b::{B, b as c};"),
                ("a.rs", "use crate::{B, c}; pub struct A(B);"),
                ("b.rs", "pub struct B; pub fn b() {}"),
            ],
            &[],
        );
    }

    #[test]
    fn a_facade_leads_to_who_defines() {
        check(
            &[
                ("lib.rs", "mod a; mod b; pub use a::*; pub use b::c::B;"),
                ("a.rs", "pub struct A(crate::B);"),
                ("b/mod.rs", "pub mod c;"),
                ("b/c.rs", "pub struct B(crate::A);"),
            ],
            &[&["a.rs -> b/c.rs (B)", "b/c.rs -> a.rs (A)"]],
        );
    }

    #[test]
    fn a_parent_that_works_with_its_child_is_not_named_by_it() {
        let child = ("a/b.rs", "use super::A; pub fn b(a: A) {}");
        let circle: &[&[&str]] = &[&["a.rs -> a/b.rs (b)", "a/b.rs -> a.rs (A)"]];
        let lib = ("lib.rs", "mod a;");
        check(&[lib, ("a.rs", "mod b; pub struct A; fn a() { b::b(A) }"), child], circle);
        let reexport = "mod b; pub use b::b; pub struct A; fn a() { b(A) }";
        check(&[lib, ("a.rs", reexport), child], circle);
        check(&[lib, ("a.rs", "mod b; pub use b::b; pub struct A;"), child], &[]);
    }

    #[test]
    fn modules_in_place_are_of_their_file() {
        check(
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "pub mod hex { use super::A; pub fn hex() {} } pub struct A;"),
                ("b.rs", "use crate::a::hex; fn b() { hex::hex() }"),
            ],
            &[],
        );
    }

    #[test]
    fn a_circle_may_be_long() {
        check(
            &[
                ("lib.rs", "mod a; mod b; mod c; mod d;"),
                ("a.rs", "use crate::b; pub fn a() { b::b() }"),
                ("b.rs", "use crate::c::C; pub fn b() {} pub(crate) use crate::d::*;"),
                ("c.rs", "pub struct C; impl C { fn c() { crate::a::a() } }"),
                ("d.rs", "use crate::a::a;"),
            ],
            &[&["a.rs -> b.rs (b)", "b.rs -> c.rs (C)", "c.rs -> a.rs (a)"]],
        );
    }

    #[test]
    fn tests_are_left_out() {
        check(
            &[
                ("lib.rs", "mod a; mod b; #[cfg(test)] mod testing;"),
                ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
                ("b.rs", "pub struct B(crate::a::A);"),
            ],
            &[],
        );
    }
}
