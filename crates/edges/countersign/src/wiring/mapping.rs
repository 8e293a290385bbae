//! How the site keeps its accounts: its preset, and what the configuration says instead.

use directory::{MappedField, Mapping, Sessions, Source, WriteTable};

use super::failure::WiringError;
use crate::config::{ColumnSettings, DirectorySettings, Preset};

/// How the site keeps its accounts; `None` where our store keeps them.
pub(super) fn mapping(settings: &DirectorySettings) -> Result<Option<Mapping>, WiringError> {
    let preset = settings.preset.of_site();
    let preset = preset.map(|preset| preset.mapping(settings.prefix.as_deref()));
    let mut mapping = preset.unwrap_or_else(Mapping::generic);
    match (&settings.table, &settings.query) {
        (Some(_), Some(_)) => return Err(WiringError::TableAndQuery),
        (Some(table), None) => {
            mapping.source = Source::Table(table.clone());
            mapping.write = None;
        }
        (None, Some(query)) => mapping.source = Source::Query(query.clone()),
        (None, None) => {}
    }
    map_columns(&mut mapping, &settings.columns);
    mapping.columns.beside.extend(settings.hash.columns.clone());
    let none = settings.hash.no_password.as_deref().map(str::lines).into_iter().flatten();
    mapping.no_password.extend(none.map(str::to_owned));
    if let (Some(table), Some(id)) = (&settings.write.table, &settings.write.id) {
        let condition = settings.write.condition.clone();
        mapping.write = Some(WriteTable { table: table.clone(), id: id.clone(), condition });
    }
    match (&settings.sessions.statement, &settings.sessions.django_table) {
        (Some(_), Some(_)) => return Err(WiringError::StatementAndTable),
        (Some(statement), None) if statement.trim().is_empty() => {
            mapping.sessions = Sessions::Untouched;
        }
        (Some(statement), None) => mapping.sessions = Sessions::Statement(statement.clone()),
        (None, Some(table)) if table.is_empty() => mapping.sessions = Sessions::Untouched,
        (None, Some(table)) => mapping.sessions = Sessions::Django { table: table.clone() },
        (None, None) => {}
    }
    Ok((settings.preset != Preset::Embedded).then_some(mapping))
}

/// What is named must be there.
fn map_columns(mapping: &mut Mapping, settings: &ColumnSettings) {
    for &field in MappedField::ALL {
        let Some(name) = settings.of(field) else { continue };
        mapping.optional.retain(|optional| *optional != field);
        mapping.columns.set(field, Some(name.to_owned()).filter(|name| !name.is_empty()));
    }
}
