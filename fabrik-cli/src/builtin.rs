//! The providers Fabrik brings.

use crate::app::App;

/// Adds them.
pub(crate) fn add(app: App) -> App {
    app
}
