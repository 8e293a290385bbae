//! Who must not be left as they are.

use campaigns::{CampaignError, close_campaign, unsettled_people};
use model::{CampaignState, SwapState};

use crate::{
    sealed::{Databases, on_both},
    table::Table,
};

on_both! {
    a_refusal_names_the_first_as_the_list_does,
}

/// The campaign's order is that of its addresses, not of the numbers that the accounts have got.
async fn a_refusal_names_the_first_as_the_list_does(databases: Databases) {
    let table = Table::new(databases, 5, 5).await;
    for number in 0..5 {
        table.seal_and_write(number, SwapState::Done).await;
    }
    table.in_store("UPDATE target SET address = 4 - address").await;
    table.put_into("done", CampaignState::Done).await;
    let refused = close_campaign(&table.instance, "Spring").await.unwrap_err();
    let CampaignError::Unsettled { first, .. } = refused else { panic!("{refused}") };
    assert_eq!(first, "first: …4, …3, …2");
    let people = unsettled_people(&table.instance, "Spring").await.unwrap();
    let listed: Vec<_> = people.accounts.iter().map(|person| person.account.as_str()).collect();
    assert_eq!(listed, ["4", "3", "2", "1", "0"]);
}
