//! The steps that make the schema, in their order.

use sql::{Migration, Migrations};

macro_rules! steps {
    ($dialect:literal: $($version:literal $name:literal,)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../migrations/", $dialect, "/000", $version, "_", $name, ".sql")),
        }),+]
    };
}

macro_rules! in_both {
    ($($version:literal $name:literal,)+) => {
        Migrations {
            sqlite: steps!("sqlite": $($version $name,)+),
            postgres: steps!("postgres": $($version $name,)+),
        }
    };
}

pub(crate) const SCHEMA: Migrations = in_both! {
    1 "instance",
    2 "leaks",
    3 "campaigns",
    4 "notices",
    5 "recovery",
    6 "lasting",
    7 "sending_pause",
    8 "swaps",
    9 "widened",
};
