use model::text_enum;

text_enum! {
    /// What a line of a leak is, by its look.
    pub enum LineForm {
        /// An address, and behind it a password: `a@example.org:pw`.
        AddressSecret = "address_secret",
        /// An address, and behind it a digest and perhaps its plain text.
        AddressHash = "address_hash",
        /// A password before an address, or other columns before it.
        ColumnsAddress = "columns_address",
        /// A web address, then whom it signs in, and with what.
        WebLoginSecret = "web_login_secret",
        /// A name that is no address, and something behind it.
        NameSecret = "name_secret",
        /// Columns between quotes.
        Csv = "csv",
        /// JSON, an object or array a line.
        Json = "json",
        /// A statement of SQL, or a row of one.
        Sql = "sql",
        /// `USER: a@example.org`, as malware writes what it has stolen.
        Labelled = "labelled",
        /// Nothing that two columns can be made of.
        NoRecord = "no_record",
    }
}
