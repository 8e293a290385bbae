model::text_enum! {
    /// How far a delivery had come.
    pub enum Phase {
        /// Making the connection.
        Connect = "connect",
        /// Agreeing on TLS.
        Tls = "tls",
        /// Waiting for the first line.
        Greeting = "greeting",
        /// EHLO.
        Hello = "hello",
        /// AUTH.
        Authenticate = "authenticate",
        /// MAIL.
        Mail = "mail",
        /// RCPT.
        Recipient = "recipient",
        /// DATA, up to its invitation.
        Data = "data",
        /// The message, up to its final dot.
        Content = "content",
        /// The final dot and its reply.
        EndOfData = "end_of_data",
        /// RSET after a refusal, or QUIT.
        Closing = "closing",
        /// Writing into a maildir.
        Storing = "storing",
    }
}

impl Phase {
    /// Whether the relay has heard for whom the message is.
    #[must_use]
    pub const fn has_recipient(self) -> bool {
        matches!(self, Self::Recipient | Self::Data | Self::Content | Self::EndOfData)
    }
}
