//! The steps that make the schema, in their order.

use sql::{Migration, Migrations};

macro_rules! steps {
    ($dialect:literal: $($version:literal $number:literal $name:literal,)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../migrations/", $dialect, "/", $number, "_", $name, ".sql")),
        }),+]
    };
}

macro_rules! in_both {
    ($($version:literal $number:literal $name:literal,)+) => {
        Migrations {
            sqlite: steps!("sqlite": $($version $number $name,)+),
            postgres: steps!("postgres": $($version $number $name,)+),
        }
    };
}

pub(crate) const SCHEMA: Migrations = in_both! {
    1 "0001" "instance",
    2 "0002" "leaks",
    3 "0003" "campaigns",
    4 "0004" "notices",
    5 "0005" "recovery",
    6 "0006" "lasting",
    7 "0007" "sending_pause",
    8 "0008" "swaps",
    9 "0009" "widened",
    10 "0010" "active",
    11 "0011" "reconciliation",
    12 "0012" "shown",
    13 "0013" "subjects",
    14 "0014" "fold",
    15 "0015" "bound_links",
    16 "0016" "keys",
    17 "0017" "counted",
    18 "0018" "found_elsewhere",
    19 "0019" "tried",
    20 "0020" "judged",
    21 "0021" "other_emails",
    22 "0022" "logged_comparison",
};
