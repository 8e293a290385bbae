//! Builds this crate again when a migration is added: cargo sees only files that it knows.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
