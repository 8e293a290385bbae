use crate::row_id::row_id;

row_id! {
    /// Whom rows and log name in the place of an account: one row of the store tells whose number
    /// it is, until the person is forgotten.
    SubjectId
}
