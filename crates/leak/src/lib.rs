//! Read leaked files of any form; screen them against an account index.
