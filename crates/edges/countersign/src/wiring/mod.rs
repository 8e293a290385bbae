//! Puts the program together out of its configuration.

mod failure;
mod listening;
mod mail;
mod mapping;
mod openers;
mod pages;
mod recovery;

pub(crate) use failure::{MailError, WiringError};
pub(crate) use listening::listeners;
pub(crate) use mail::{greet_relay, means, remember, witnesses, words};
pub(crate) use openers::{
    INVENTED_KEY, directory, every_form, export_without_password, form_lines, founding_digest,
    hash_columns, instance, instance_key, instance_with, key_in, restore_target, roster, store,
    verifier, verifier_if_any, verifier_of, verifier_to_show,
};
pub(crate) use pages::Pages;

use crate::config::Config;
use mapping::mapping;
use openers::forms;

/// Checks whatever can be checked without a connection.
pub(crate) fn check(config: &Config) -> Result<(), WiringError> {
    let settings = &config.settings.directory;
    if mapping(settings)?.is_some() && settings.url.is_none() {
        return Err(WiringError::NoDirectory);
    }
    check_addresses(config)?;
    instance_key(config)?;
    founding_digest(config)?;
    listening::check(config)?;
    pages::look(config)?;
    recovery::check(config)?;
    forms(config)?;
    Ok(())
}

fn check_addresses(config: &Config) -> Result<(), WiringError> {
    let site = &config.settings.directory;
    let addresses = [
        ("store.url", Some(&config.settings.store.url)),
        ("directory.url", site.url.as_ref()),
        ("directory.write_url", site.write_url.as_ref()),
    ];
    for (setting, url) in addresses {
        if let Some(url) = url {
            ::directory::check_address(setting, &config.database_url(url))?;
        }
    }
    Ok(())
}
