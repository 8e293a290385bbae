use model::LeakId;

use crate::{JobId, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD_SHAPES = ["INSERT INTO batch_shape (job, shape, forms, accounts) VALUES {rows}"];
    SHAPES = ["SELECT batch_shape.shape, batch_shape.forms,
            CAST(SUM(batch_shape.accounts) AS BIGINT) AS accounts
        FROM batch_shape JOIN job ON job.id = batch_shape.job
        WHERE job.leak = $1 GROUP BY batch_shape.shape, batch_shape.forms
        ORDER BY batch_shape.shape, batch_shape.forms"];
    ADD_PROOFS = ["INSERT INTO form_proof (fingerprint) VALUES {rows} ON CONFLICT DO NOTHING"];
    PROOFS = ["SELECT fingerprint FROM form_proof ORDER BY fingerprint"];
}

/// How many accounts that are not exposed have hashes of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeCount {
    /// How their hashes begin.
    pub shape: String,
    /// Keyed hashes of the shape with every form that was tried, and with all those together that operators
    /// had named then.
    pub forms: Vec<[u8; 32]>,
    /// How many.
    pub accounts: u64,
}

struct ShapeRow {
    shape: String,
    forms: Vec<u8>,
    accounts: u64,
}

record!(ShapeRow { shape, forms, accounts });

impl Tx {
    /// Counts the shapes of a batch.
    pub fn add_shapes(&mut self, batch: JobId, shapes: Vec<ShapeCount>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0
                .insert_all(&ADD_SHAPES, shapes, |query, ShapeCount { shape, forms, accounts }| {
                    let query = query.bind(Cell(batch)).bind(shape);
                    query.bind(forms.concat()).bind(Cell(accounts))
                })
                .await?;
            Ok(())
        })
    }

    /// The shapes of all accounts of a leak that are not exposed.
    pub fn shapes(&mut self, leak: LeakId) -> StoreFuture<'_, Vec<ShapeCount>> {
        let query = self.0.run(&SHAPES).bind(Cell(leak));
        Box::pin(async move {
            let rows: Vec<ShapeRow> = query.all().await?;
            Ok(rows.into_iter().map(ShapeRow::into_count).collect())
        })
    }

    /// Keeps that these were proved; some may be known already.
    pub fn add_form_proofs(&mut self, proofs: Vec<[u8; 32]>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.insert_all(&ADD_PROOFS, proofs, |query, proof| query.bind(Cell(proof))).await?;
            Ok(())
        })
    }

    /// All that was proved.
    pub fn form_proofs(&mut self) -> StoreFuture<'_, Vec<[u8; 32]>> {
        let query = self.0.run(&PROOFS);
        Box::pin(async move {
            let rows = query.all::<(Cell<[u8; 32]>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(proof),)| proof).collect())
        })
    }
}

impl ShapeRow {
    fn into_count(self) -> ShapeCount {
        let forms = self.forms.as_chunks().0.to_vec();
        ShapeCount { shape: self.shape, forms, accounts: self.accounts }
    }
}
