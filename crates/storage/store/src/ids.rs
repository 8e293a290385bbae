use std::fmt;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            pub(crate) const fn from_row(id: i64) -> Self {
                Self(id)
            }

            /// The number, for logs and for operators.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// The key of a job: of a piece to screen or a batch to verify.
    JobId
}
row_id! {
    /// The key of a finding. It is never used again for another one.
    FindingId
}
row_id! {
    /// The key of a reset link. It is not its token.
    LinkId
}
row_id! {
    /// The key of a mail that somebody asks for.
    RequestId
}
