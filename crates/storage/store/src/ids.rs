use model::row_id;

row_id! {
    /// The key of a job: of a piece to screen or a batch to verify.
    JobId
}
row_id! {
    /// The key of a reset link. It is not its token.
    LinkId
}
row_id! {
    /// The key of a mail that somebody asks for.
    RequestId
}
