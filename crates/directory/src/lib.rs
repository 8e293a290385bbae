//! Connectors to the site's accounts.
