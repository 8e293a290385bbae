//! Texts in an encoding of several bytes a character, of which a server has some that are told us in none.
//!
//! It would refuse a whole table for the sake of one of them. So each text is asked for as the bytes that it
//! is, and what is not ASCII among them goes back, many texts at once, to be told what it says.

use sql::{Db, QueryText, Record, Row, SqlError};

use crate::{
    limits::ROWS_TOLD_AT_ONCE,
    row::{CellText, RawRow},
};

/// Says what bytes are as a text of the server's own encoding.
pub(super) const TEXT_OF_BYTES: QueryText = QueryText::of_each(
    "SELECT CAST($1 AS TEXT)",
    "SELECT convert_from($1, getdatabaseencoding())",
    "SELECT CONVERT($1 USING utf8mb4)",
);

/// Stands between two texts that are asked for together: no character of several bytes has it in it.
const BETWEEN: u8 = 0x1e;

/// A server that tells what texts say. Nothing else is asked for over these connections, so that whoever
/// holds one waits for no other.
#[derive(Clone)]
pub(super) struct TextTeller(Db);

/// The columns of a row, as bytes.
pub(super) struct RowOfBytes(Vec<Option<Vec<u8>>>);

impl Record for RowOfBytes {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        (0..row.width()).map(|place| row.at(place)).collect::<Result<_, _>>().map(Self)
    }
}

impl TextTeller {
    pub(super) const fn new(db: Db) -> Self {
        Self(db)
    }

    /// The same rows as texts. What cannot be told is one account's fault.
    pub(super) async fn tell_all(&self, rows: Vec<RowOfBytes>) -> Result<Vec<RawRow>, SqlError> {
        let mut told = Vec::with_capacity(rows.len());
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            told.extend(self.tell(rows.by_ref().take(ROWS_TOLD_AT_ONCE).collect()).await?);
        }
        Ok(told)
    }

    async fn tell(&self, rows: Vec<RowOfBytes>) -> Result<Vec<RawRow>, SqlError> {
        let texts = rows.iter().flat_map(|row| row.0.iter().flatten());
        let strange: Vec<_> = texts.filter(|text| !text.is_ascii()).collect();
        let told = match self.tell_together(&strange).await? {
            Some(told) => told,
            None => self.tell_each(&strange).await?,
        };
        let mut told = told.into_iter();
        let mut cell = |bytes: Option<Vec<u8>>| match bytes.map(String::from_utf8) {
            None => CellText::Null,
            Some(Ok(plain)) if plain.is_ascii() => CellText::Text(plain),
            Some(_) => told.next().flatten().map_or(CellText::Undecodable, CellText::Text),
        };
        let row = |RowOfBytes(row): RowOfBytes| {
            RawRow::of_texts(row.into_iter().map(&mut cell).collect())
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// `None` unless all can be told.
    async fn tell_together(
        &self,
        texts: &[&Vec<u8>],
    ) -> Result<Option<Vec<Option<String>>>, SqlError> {
        if texts.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let joined: Vec<&[u8]> = texts.iter().map(|text| text.as_slice()).collect();
        let Some(told) = self.ask(joined.join(&BETWEEN)).await? else { return Ok(None) };
        let told: Vec<_> = told.split(char::from(BETWEEN)).map(|it| Some(it.to_owned())).collect();
        Ok(Some(told).filter(|told| told.len() == texts.len()))
    }

    async fn tell_each(&self, texts: &[&Vec<u8>]) -> Result<Vec<Option<String>>, SqlError> {
        let mut told = Vec::with_capacity(texts.len());
        for text in texts {
            told.push(self.ask((*text).clone()).await?);
        }
        Ok(told)
    }

    async fn ask(&self, bytes: Vec<u8>) -> Result<Option<String>, SqlError> {
        let mut tx = self.0.read().await?;
        match tx.run(&TEXT_OF_BYTES).bind(bytes).one::<(String,)>().await {
            Err(refused) if refused.is_refusal() => Ok(None),
            told => Ok(Some(told?.0)),
        }
    }
}
