use campaign::limits::{LARGE_APPROVERS_MIN, LARGE_PERMILLE_MAX};

/// What so few operators cannot do: before they find out with a leak at hand.
pub(super) fn for_so_many(operators: usize) -> String {
    let approvers = LARGE_APPROVERS_MIN as usize;
    if operators > approvers {
        return String::new();
    }
    format!(
        "\nA plan for more than {LARGE_PERMILLE_MAX} of 1000 accounts needs {approvers} approvers \
         besides its author, so these {operators} cannot approve one: `countersign operator add` \
         proposes another.\n"
    )
}
