//! The program as its users meet it: typed commands, real databases, a site that Django runs.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod assess;
mod campaign;
mod campaign_guards;
mod campaign_kill;
mod campaign_mail;
mod campaign_steering;
mod demo;
mod findings;
mod german;
mod harness;
mod kill;
mod left_alone;
mod letters;
mod odd_forms;
mod office;
mod operators;
mod outage;
mod pages;
mod people;
mod references;
mod relay;
mod reports;
mod serve;
mod setup;
mod stored;
mod way_back;
