//! What keeping iterations in a table costs, told beforehand.

use super::{DynamoDbPlace, owner::RENEWALS};

/// Writes of an iteration besides one for each output: opened, its parts, sealed, loaded, by itself, done.
const WRITES: usize = 6;

/// About what the position of a shard or object takes.
const POSITION_BYTES: usize = 330;

/// About how many shards' ranges fit one part.
const SHARDS_A_PART: usize = 700;

const MONTH_SECONDS: u64 = 30 * 24 * 60 * 60;

impl DynamoDbPlace {
    /// What a flow with so many sinks and traps writes, for people.
    pub(crate) fn cost(&self, outputs: usize) -> String {
        let Self { text, lease, .. } = self;
        let renewals = MONTH_SECONDS * u64::from(RENEWALS) / lease.as_secs().max(1);
        let most = WRITES + outputs;
        format!(
            "\nIterations in {text}: an iteration writes {most} items, or fewer where a trap got nothing, and one more for every \
             {SHARDS_A_PART} shards or so; most are of 1 to 4 KB, and a write unit is 1 KB. An iteration for which nothing was \
             new writes 2. Positions, about {POSITION_BYTES} bytes for every shard and every object seen, are written again as they \
             become more, each about as often as their number can be halved, and what is replaced is removed, which is a write, too; \
             a run reads them all when it starts, a read unit is 4 KB. A run that goes on for a month says {renewals} times that it is alive. At one iteration a minute \
             that is {} writes a month; what a million write units cost stands in the prices of DynamoDB, on demand.\n",
            MONTH_SECONDS / 60 * most as u64 + renewals
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_month_costs_is_told() {
        let place = super::DynamoDbPlace::of(&"dynamodb://flow?lease=30s".parse().unwrap()).unwrap();
        let told = place.cost(2);
        assert!(told.contains("writes 8 items") && told.contains("says 259200 times"), "{told}");
        assert!(told.contains(&format!("{} writes a month", 43_200 * 8 + 259_200)), "{told}");
    }
}
