//! Fills.
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let n: u64 = std::env::args().nth(1).unwrap().parse()?;
    let t = std::time::Instant::now();
    println!(
        "{} {:?}",
        podtap_bench::history::filled(n).await?.display(),
        t.elapsed()
    );
    Ok(())
}
