use crate::Failure;

/// What a relay offers to whoever may send through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Whether it takes bytes beyond ASCII in a text (8BITMIME).
    pub eight_bit: bool,
    /// Whether it takes addresses beyond ASCII (SMTPUTF8).
    pub international: bool,
    /// What it says against mail for our own address, where that keeps no other mail from going.
    pub own_address: Option<Failure>,
}
