//! A failing world made small: faults, events, movies and everything else are taken out one after the other, as long as
//! the same rule is still broken (delta debugging: Zeller and Hildebrandt, <https://doi.org/10.1109/32.988498>).

use domain::invariants::Rule;

use crate::fault::{Fault, Site};
use crate::run::{Lived, Simulator, Weather};
use crate::scenario::Scenario;

/// The most worlds that are lived through to make one smaller.
const MAX_LIVES: u32 = 3_000;

/// With how many other courses of chance a smaller world is tried: what needs two things at one moment rarely happens in
/// a smaller world just as well.
const OTHER_CHANCES: u64 = 6;

/// A small world in which a rule is broken.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The world.
    pub scenario: Scenario,
    /// Its faults.
    pub faults: Vec<(Site, Fault)>,
    /// What happened in it, told.
    pub lived: Lived,
}

/// Makes a world smaller in which faults of the seed broke a rule.
#[must_use]
pub fn shrink(simulator: &Simulator, scenario: &Scenario, failed: &Lived) -> Option<Shrunk> {
    let rule = failed.violations.first()?.1.rule;
    let mut search = Search { simulator, rule, lives: 0, scenario: scenario.clone(), faults: failed.faults.clone() };
    loop {
        let size = search.size();
        // Parts first: whatever is left out of a world makes each further life in it the shorter.
        search.drop_parts();
        search.drop_faults();
        if search.size() == size || search.lives >= MAX_LIVES {
            break;
        }
    }
    let Search { scenario, faults, .. } = search;
    let lived = simulator.live(&scenario, &Weather::Listed(faults.clone()), true);
    Some(Shrunk { scenario, faults, lived })
}

struct Search<'a> {
    simulator: &'a Simulator,
    rule: Rule,
    lives: u32,
    scenario: Scenario,
    faults: Vec<(Site, Fault)>,
}

impl Search<'_> {
    fn size(&self) -> (usize, usize, usize, usize) {
        let Scenario { events, top_n, foreign, redrives, unknown, .. } = &self.scenario;
        (self.faults.len(), events.len(), *top_n, foreign.len() + redrives.len() + unknown.len())
    }

    /// Takes a smaller world if the rule is broken in it, too. Faults that no longer happen are left out at once.
    fn try_with(&mut self, scenario: Scenario, faults: Vec<(Site, Fault)>) -> bool {
        if self.lives >= MAX_LIVES {
            return false;
        }
        self.lives += 1;
        let lived = self.simulator.live(&scenario, &Weather::Listed(faults), false);
        let is_broken = lived.violations.iter().any(|(_, violation)| violation.rule == self.rule);
        if is_broken {
            (self.scenario, self.faults) = (scenario, lived.faults);
        }
        is_broken
    }

    fn try_with_some_chance(&mut self, smaller: &Scenario) -> bool {
        (0..=OTHER_CHANCES).any(|other| {
            let chance = smaller.chance.wrapping_add(other);
            self.try_with(Scenario { chance, ..smaller.clone() }, self.faults.clone())
        })
    }

    /// Leaves out ever smaller parts of the list of faults.
    fn drop_faults(&mut self) {
        let mut part = self.faults.len().div_ceil(2);
        while part > 0 {
            let mut start = 0;
            while start < self.faults.len() {
                let end = (start + part).min(self.faults.len());
                let fewer = [&self.faults[..start], &self.faults[end..]].concat();
                if !self.try_with(self.scenario.clone(), fewer) {
                    start = end;
                }
            }
            part /= 2;
        }
    }

    fn drop_parts(&mut self) {
        self.drop_each(
            |scenario| scenario.events.len(),
            |scenario, index| {
                scenario.events.remove(index);
            },
        );
        self.drop_each(
            |scenario| scenario.foreign.len(),
            |scenario, index| {
                scenario.foreign.remove(index);
            },
        );
        self.drop_each(
            |scenario| scenario.redrives.len(),
            |scenario, index| {
                scenario.redrives.remove(index);
            },
        );
        self.drop_each(
            |scenario| scenario.unknown.len(),
            |scenario, index| {
                let movie = scenario.unknown.iter().nth(index).copied();
                scenario.unknown.retain(|unknown| Some(*unknown) != movie);
            },
        );
        self.drop_each(
            |scenario| if scenario.top_n > 1 { scenario.catalogue.len() } else { 0 },
            |scenario, index| {
                let movie = scenario.catalogue.iter().nth(index).copied();
                scenario.catalogue.retain(|kept| Some(*kept) != movie);
                scenario.top_n -= 1;
            },
        );
        self.drop_each(|scenario| scenario.top_n - 1, |scenario, index| scenario.top_n = index + 1);
    }

    /// Takes out one thing after the other.
    fn drop_each(&mut self, count: impl Fn(&Scenario) -> usize, take_out: impl Fn(&mut Scenario, usize)) {
        let mut index = 0;
        while index < count(&self.scenario) {
            let mut smaller = self.scenario.clone();
            take_out(&mut smaller, index);
            if !self.try_with_some_chance(&smaller) {
                index += 1;
            }
        }
    }
}
