//! The program as its users meet it: typed commands, real databases, a site that Django runs.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod assess;
mod campaign;
mod campaign_crowd;
mod campaign_guards;
mod campaign_halt;
mod campaign_kill;
mod campaign_mail;
mod campaign_paused;
mod campaign_replica;
mod campaign_steering;
mod demo;
mod findings;
mod german;
mod harness;
mod history;
mod host;
mod kill;
mod left_alone;
mod letters;
mod measured;
mod odd_forms;
mod office;
mod operators;
mod outage;
mod pages;
mod people;
mod reconcile;
mod references;
mod relay;
mod reports;
mod serve;
mod settling;
mod setup;
mod stored;
mod way_back;
