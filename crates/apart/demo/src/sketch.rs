//! The leaks that are made.

use crate::{
    form::{Form, Notation, Packing},
    truth::{Fate, Reject},
};

/// A leak before it is made.
pub(crate) struct Sketch {
    pub(crate) name: &'static str,
    pub(crate) date: &'static str,
    pub(crate) provenance: &'static str,
    /// Records of somebody else, for each account of the site.
    pub(crate) strangers_per_account: usize,
    pub(crate) files: &'static [Form],
}

pub(crate) const SKETCHES: &[Sketch] = &[
    Sketch {
        name: "Harbour Books 2016",
        date: "2016-05-17",
        provenance: "confirmed",
        strangers_per_account: 5,
        files: &[Form {
            path: "leaks/harbour-books.txt",
            head: Some(("\u{feff}# Harbour Books customers", Fate::Reject(Reject::NoDelimiter))),
            delimiter: ':',
            newline: "\n",
            notation: Notation::Plain,
            packing: Packing::None,
        }],
    },
    Sketch {
        name: "Lantern Forum",
        date: "2019-11",
        provenance: "circulating",
        strangers_per_account: 4,
        files: &[Form {
            path: "leaks/lantern-forum.csv",
            head: Some(("user;password;group", Fate::Miss)),
            delimiter: ';',
            newline: "\r\n",
            notation: Notation::Latin1Table,
            packing: Packing::None,
        }],
    },
    Sketch {
        name: "Ember Isles",
        date: "2021",
        provenance: "unknown",
        strangers_per_account: 3,
        files: &[
            Form {
                path: "leaks/ember-isles/part-1.txt.gz",
                head: None,
                delimiter: ':',
                newline: "\n",
                notation: Notation::Hex,
                packing: Packing::Gzip,
            },
            Form {
                path: "leaks/ember-isles/part-2.txt.zst",
                head: None,
                delimiter: '\t',
                newline: "\n",
                notation: Notation::Plain,
                packing: Packing::Zstd,
            },
        ],
    },
];
