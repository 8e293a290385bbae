//! One text for each query, both databases: every branch on the backend lives here.
