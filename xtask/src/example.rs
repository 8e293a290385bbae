//! An example site to try the program on: a real Django database, invented people.

use std::{fs, path::Path};

use crate::{
    shell::{ChoreResult, root, run},
    tools,
};

const FOLDER: &str = "target/example";

/// What the generator writes. The last one is how a folder of ours is known again.
const MADE: &[&str] = &["site.sqlite3", "users.csv", "users.jsonl", "leaks", TRUTH];
const TRUTH: &str = "truth.json";

/// Makes the example, and says what to type next.
pub(crate) fn example(folder: Option<&str>) -> ChoreResult {
    tools::install(tools::Need::Judges)?;
    let shown = folder.unwrap_or(FOLDER);
    let folder = root().join(shown);
    clear(&folder)?;
    let mut generator = tools::python("make_site.py")?;
    let database = format!("sqlite://{}/site.sqlite3", folder.display());
    generator.args(["--database", &database, "--folder"]).arg(&folder);
    run(&mut generator)?;
    println!("{shown} holds:");
    println!("  site.sqlite3   Django's own database of 200 invented people");
    println!("  users.csv      their accounts as an operator exports them");
    println!("  leaks/         what other sites lost, in eight files");
    println!("  truth.json     who of them is exposed, to compare with");
    println!("\nFind them:");
    println!("  cargo run --release -- assess --accounts {shown}/users.csv {shown}/leaks");
    Ok(())
}

/// Removes an earlier example, and nothing else that lies there.
fn clear(folder: &Path) -> ChoreResult {
    if !folder.exists() {
        return Ok(());
    }
    let others = fs::read_dir(folder)?.next().is_some() && !folder.join(TRUTH).exists();
    if others {
        return Err(format!("{} holds other files: name a new folder", folder.display()).into());
    }
    for name in MADE {
        let path = folder.join(name);
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if path.exists() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
