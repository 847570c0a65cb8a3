//! Tries the contract of a store on the table whose address is given, and names the cases that hold.

fn main() -> Result<(), flow_runtime::Error> {
    let address = std::env::args().nth(1).unwrap_or_default();
    for case in flow_runtime::iteration::try_contract(&address)? {
        println!("{case}");
    }
    Ok(())
}
