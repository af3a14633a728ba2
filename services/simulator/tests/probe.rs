use simulator::*;
#[test]
fn probe() {
    for m in [Mutation::LatestWithoutCondition, Mutation::RefusedEntriesIgnored, Mutation::CompletionFailuresIgnored, Mutation::StoreFailuresIgnored, Mutation::NoConditions] {
        let found: Vec<_> = (1..=8u64).map(|i| {
            let o = Campaign { first_seed: i * 1_000_000, deliveries: 20_000, mutation: Some(m), threads: None }.run(|_| {});
            (o.figures.deliveries, o.failed.is_some())
        }).collect();
        println!("{m:?} {found:?}");
    }
}
