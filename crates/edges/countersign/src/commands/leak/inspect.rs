//! What files look like, before anybody registers them.

use std::path::PathBuf;

use exposure::{InspectedFile, inspect_files};
use serde::Serialize;

use crate::{
    commands::{CommandContext, CommandFailure},
    output::{Done, Sheet, grouped},
};

#[derive(Serialize)]
struct Inspections {
    files: Vec<InspectedFile>,
}

pub(super) fn run(context: &CommandContext<'_>, files: &[PathBuf]) -> Result<Done, CommandFailure> {
    let inspections = Inspections { files: inspect_files(files)? };
    context.output.result("countersign.leak_inspection/1", &inspections, |inspections| {
        inspections.files.iter().map(for_people).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Done::whole_if(inspections.files.iter().all(|file| file.unread.is_none())))
}

fn for_people(file: &InspectedFile) -> String {
    let mut sheet = Sheet::default();
    sheet.row("file", &file.path);
    if let Some(why) = &file.unread {
        sheet.row("NOT READ", why);
    }
    let Some(found) = &file.inspection else { return sheet.to_string() };
    let encoding = if found.is_utf16 { "UTF-16" } else { "UTF-8 or an older encoding" };
    sheet.row("bytes", format!("{}, {}, {encoding}", grouped(found.bytes), found.compression));
    if let Some(lines) = found.lines_estimated {
        sheet.row("lines", format!("about {}", grouped(lines)));
    }
    sheet.row("lines looked at", grouped(found.lines));
    sheet.part("blank", found.blank);
    sheet.part("too long or broken off", found.unreadable);
    sheet.part("not UTF-8", found.not_utf8);
    sheet.part("an address with what may be its password", found.with_secret);
    sheet.part("  which looks like none", found.unlikely);
    sheet.part("  in more ways than are tried", found.cut);
    for count in &found.forms {
        sheet.row(format!("form {}", count.form), grouped(count.lines));
    }
    for count in &found.layouts {
        sheet.part(&count.layout, count.lines);
    }
    sheet.to_string()
}
