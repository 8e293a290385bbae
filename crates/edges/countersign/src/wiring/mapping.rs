//! How the site keeps its accounts: its preset, and what the configuration says instead.

use directory::{Columns, Mapping, Sessions, Source, WriteTable};

use super::failure::WiringError;
use crate::config::{ColumnSettings, DirectorySettings, Preset};

/// How the site keeps its accounts; `None` where our store keeps them.
pub(super) fn mapping(settings: &DirectorySettings) -> Result<Option<Mapping>, WiringError> {
    let mut mapping = match settings.preset {
        Preset::Django => Mapping::django(),
        Preset::Embedded | Preset::Generic => Mapping::generic(),
    };
    match (&settings.table, &settings.query) {
        (Some(_), Some(_)) => return Err(WiringError::TableAndQuery),
        (Some(table), None) => mapping.source = Source::Table(table.clone()),
        (None, Some(query)) => mapping.source = Source::Query(query.clone()),
        (None, None) => {}
    }
    map_columns(&mut mapping.columns, &settings.columns);
    mapping.columns.beside.extend(settings.hash.columns.clone());
    let none = settings.hash.no_password.as_deref().map(str::lines).into_iter().flatten();
    mapping.no_password.extend(none.map(str::to_owned));
    if let (Some(table), Some(id)) = (&settings.write.table, &settings.write.id) {
        let condition = settings.write.condition.clone();
        mapping.write = Some(WriteTable { table: table.clone(), id: id.clone(), condition });
    }
    match (&settings.sessions.statement, &settings.sessions.django_table) {
        (Some(_), Some(_)) => return Err(WiringError::StatementAndTable),
        (Some(statement), None) => mapping.sessions = Sessions::Statement(statement.clone()),
        (None, Some(table)) if table.is_empty() => mapping.sessions = Sessions::Untouched,
        (None, Some(table)) => mapping.sessions = Sessions::Django { table: table.clone() },
        (None, None) => {}
    }
    Ok((settings.preset != Preset::Embedded).then_some(mapping))
}

fn map_columns(columns: &mut Columns, settings: &ColumnSettings) {
    columns.id = settings.id.clone().unwrap_or_else(|| columns.id.clone());
    columns.hash = settings.hash.clone().unwrap_or_else(|| columns.hash.clone());
    let optional = [
        (&mut columns.email, &settings.email),
        (&mut columns.username, &settings.username),
        (&mut columns.hash_changed_at, &settings.hash_changed_at),
        (&mut columns.email_verified, &settings.email_verified),
        (&mut columns.locale, &settings.locale),
        (&mut columns.last_login_at, &settings.last_login_at),
        (&mut columns.second_factor, &settings.second_factor),
        (&mut columns.active, &settings.active),
        (&mut columns.inactive, &settings.inactive),
        (&mut columns.changed_at, &settings.changed_at),
    ];
    for (column, setting) in optional {
        match setting.as_deref() {
            None => {}
            Some("") => *column = None,
            Some(name) => *column = Some(name.to_owned()),
        }
    }
}
