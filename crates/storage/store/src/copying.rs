//! A whole store, table by table: read as rows of any columns, and written into an empty one.

use futures_util::{StreamExt as _, TryStreamExt as _};
use sql::{BoxStream, Column};

use crate::{AnyRow, StoreError, StoreFuture, StoreTable, TableColumn, Tx, any_row::TypedValue};

sql::queries! {
    KEPT_INPUTS = ["SELECT leak.name, leak_file.kept FROM leak_file
        JOIN leak ON leak.id = leak_file.leak
        WHERE leak_file.kept IS NOT NULL AND leak.spool_key IS NOT NULL
        ORDER BY leak_file.id"];
}

impl Tx {
    /// The columns of a table.
    ///
    /// # Errors
    /// [`StoreError::StrangeColumn`] if another program has added one of another type.
    pub fn table_columns(
        &mut self,
        table: &'static StoreTable,
    ) -> StoreFuture<'_, Vec<TableColumn>> {
        Box::pin(async move {
            let columns = self.0.describe(&table.every_column()).await?;
            columns.into_iter().map(|column| known(table, column)).collect()
        })
    }

    /// All rows of a table as they come. The log's are in their order.
    pub fn table_rows<'c>(
        &'c mut self,
        table: &StoreTable,
        columns: &[TableColumn],
    ) -> BoxStream<'c, Result<AnyRow, StoreError>> {
        let rows = self.0.run(&table.select(columns)).stream::<AnyRow>();
        rows.map_err(StoreError::from).boxed()
    }

    /// The first table that holds what somebody has put there; `None` if the store is not used yet.
    pub fn first_used_table(&mut self) -> StoreFuture<'_, Option<&'static StoreTable>> {
        Box::pin(async move {
            for table in StoreTable::carried().filter(|table| table.begins_empty()) {
                let (is_used,) = self.0.run(&table.is_used()).one::<(bool,)>().await?;
                if is_used {
                    return Ok(Some(table));
                }
            }
            Ok(None)
        })
    }

    /// Writes rows as they were in another store, but for their leases: these are over.
    pub fn put_table_rows<'c>(
        &'c mut self,
        table: &'static StoreTable,
        columns: &'c [TableColumn],
        rows: Vec<AnyRow>,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let bound = move |values: sql::Values, AnyRow(row): AnyRow| {
                columns.iter().zip(row).fold(values, |values, (column, value)| {
                    values.bind(TypedValue { value: column.carried(value), kind: column.kind })
                })
            };
            self.0.insert_all(&table.insert(columns), rows, bound).await?;
            Ok(())
        })
    }

    /// Lets every table that numbers its rows go on behind the highest number.
    pub fn count_on(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            for statement in StoreTable::carried().filter_map(StoreTable::count_on) {
                self.0.run(&statement).one::<(i64,)>().await?;
            }
            Ok(())
        })
    }

    /// Where copies of standard input lie that are still needed, each with the name of its leak.
    pub fn kept_inputs(&mut self) -> StoreFuture<'_, Vec<(String, String)>> {
        Box::pin(async move { Ok(self.0.run(&KEPT_INPUTS).all().await?) })
    }
}

fn known(table: &'static StoreTable, column: Column) -> Result<TableColumn, StoreError> {
    match column.kind() {
        Some(kind) => Ok(TableColumn { name: column.name, kind }),
        None => Err(StoreError::StrangeColumn {
            table: table.name(),
            column: column.name,
            type_name: column.type_name,
        }),
    }
}
