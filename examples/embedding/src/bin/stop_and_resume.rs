//! Stops a run on the way and goes on with it.

use fabrik_core::error::Result;

#[tokio::main]
async fn main() -> Result<()> {
    fabrik_embedding::stop_and_resume::run(&mut std::io::stdout()).await
}
