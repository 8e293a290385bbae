//! What names, addresses and passwords are put together from.

pub(crate) const GIVEN_NAMES: &[&str] = &[
    "ada", "anselm", "beatrix", "bruno", "cosima", "dorian", "edda", "emil", "fenja", "florin",
    "greta", "hanno", "ilka", "ivo", "juniper", "kasimir", "lavinia", "levin", "marit", "milo",
    "nele", "noah", "oda", "ole", "pia", "quentin", "ronja", "rufus", "selma", "sixten", "thea",
    "tilo", "una", "urs", "vera", "viggo", "wanda", "willem", "yara", "zeno",
];

pub(crate) const SURNAMES: &[&str] = &[
    "ashgrove",
    "birkenstamm",
    "cordwainer",
    "dornfeldt",
    "eibenschutz",
    "fallowmere",
    "grauwacke",
    "hollerbusch",
    "immergrun",
    "jungbluth",
    "kieselbach",
    "lindenmuth",
    "merrowdown",
    "nachtigall",
    "osterloh",
    "pfefferkorn",
    "quendel",
    "rosenquist",
    "schlehdorn",
    "thistlewood",
    "underhay",
    "vogelsang",
    "wacholder",
    "yarrowby",
    "zirbelmann",
];

/// Names that cannot stand in an address everywhere; those who bear them sign in with them.
pub(crate) const UMLAUT_NAMES: &[&str] = &["jürgen", "götz", "käthe", "bärbel"];

pub(crate) const DOMAINS: &[&str] = &[
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "post.example.org",
    "inbox.example.net",
];

/// Gmail gives out no name of more than 30 letters, so nobody can own these.
pub(crate) const GMAIL_NAME: &str = "invented.person.of.the.countersign.demo";
pub(crate) const GMAIL: &str = "gmail.com";

/// One domain in its two spellings.
pub(crate) const A_LABEL: &str = "xn--bcher-kva.example.org";
pub(crate) const U_LABEL: &str = "bücher.example.org";

pub(crate) const WORDS: &[&str] = &[
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "gravel", "heron", "island", "juniper",
    "kelp", "lichen", "meadow", "nettle", "orchid", "pebble", "quartz", "raven", "saddle",
    "timber",
];

/// Within Latin-1, which old sites write.
pub(crate) const ACCENTED_WORDS: &[&str] =
    &["Schlüssel", "Größe", "Käferfest", "crème", "mañana", "Øresund"];

/// What people choose who are not alone with it.
pub(crate) const COMMON_PASSWORDS: &[&str] = &["sunshine7", "fussball2006", "letmein!now"];
