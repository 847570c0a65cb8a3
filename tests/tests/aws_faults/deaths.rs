//! Processes that die, fail or stand still at an effect of an iteration.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    sync::Mutex,
    thread,
};

use flow_tests::{aws::Cloud, program::Running};

use super::scene::{Input, Scene, is_whole};

const THREADS: usize = 6;

/// How many lines an iteration reads.
const LINES: usize = 20;

/// The same where the rows of each iteration are to go into as many objects: their amounts begin anew after so many.
const LINES_IN_FOLDERS: usize = 100;

/// Iterations that follow each other in one scene.
const CHAIN_MAX: usize = 12;

/// What happens at an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The process is killed, and the same command is given again.
    Kill,
    /// It is killed while another process of the same flow is at work.
    KillAmongTwo,
    /// It is killed, and the same command is given on another machine.
    KillAndMoveOn,
    /// It stands still until another one has gone on, longer than it is waited for, and wakes up.
    Stop,
}

/// Something that happens.
#[derive(Clone, Debug)]
struct Scenario {
    /// `name#ordinal`
    effect: String,
    moment: &'static str,
    what: What,
}

fn lines(input: Input) -> usize {
    if input == Input::Archive { LINES_IN_FOLDERS } else { LINES }
}

/// The effects of an iteration in which there is something new.
fn effects(input: Input) -> Option<Vec<String>> {
    let mut scene = Scene::new(&Cloud::fast()?, input);
    let mut passed = String::new();
    for _ in 0..2 {
        scene.prepare(lines(input)).unwrap();
        let _ = fs::remove_file(scene.place.path("effects"));
        let mut command = scene.command();
        command.env("FLOW_EFFECTS", scene.place.path("effects"));
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        passed = scene.place.text("effects");
    }
    scene.recover().unwrap();
    assert_eq!(scene.differences(), [""; 0]);
    Some(passed.lines().map(str::to_owned).collect())
}

/// Of effects of one name the first and the last.
fn thinned(effects: &[String]) -> Vec<String> {
    let mut by_name: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for effect in effects {
        by_name.entry(effect.split('#').next().unwrap_or_default()).or_default().push(effect);
    }
    let ends = |of: Vec<&String>| [of.first().copied().cloned(), of.last().copied().cloned()];
    let mut thinned: Vec<String> = by_name.into_values().flat_map(ends).flatten().collect();
    thinned.dedup();
    thinned
}

/// At each effect on a service a process dies before it and after it, and at every other one it sleeps, or is one of two. At
/// those on a disk, where `tests/faults/` does all of that, it dies before or after; unless all is to be tried.
fn scenarios(input: Input, effects: &[String]) -> VecDeque<Scenario> {
    let of = |(index, effect): (usize, &String)| {
        let scenario = |moment, what| Scenario { effect: effect.clone(), moment, what };
        let is_even = index % 2 == 0;
        let deaths = [scenario("before", What::Kill), scenario("after", What::Kill)];
        let other = if is_even { scenario("before", What::Stop) } else { scenario("after", What::KillAmongTwo) };
        let is_on_a_service = ["kinesis.", "dynamodb.", "s3."].iter().any(|service| effect.starts_with(service));
        let moved = scenario(if is_even { "after" } else { "before" }, What::KillAndMoveOn);
        match deaths {
            deaths if input == Input::Archive => [&deaths[..], &[other, moved]].concat(),
            deaths if is_on_a_service || is_whole() => [&deaths[..], &[other]].concat(),
            [before, _] if is_even => vec![before],
            [_, after] => vec![after],
        }
    };
    effects.iter().enumerate().flat_map(of).collect()
}

/// Plays one; whether the effect came at all.
fn play(scene: &mut Scene, scenario: &Scenario) -> Result<bool, String> {
    scene.prepare(lines(scene.input))?;
    let _ = fs::remove_file(scene.place.path("effects"));
    let mut command = scene.command();
    let kind = if scenario.what == What::Stop { "stop" } else { "kill" };
    command.env("FLOW_FAULT", format!("{}:{}:{kind}", scenario.effect, scenario.moment));
    command.env("FLOW_EFFECTS", scene.place.path("effects"));
    let broken = Running::start(command);
    let mut ends = Vec::new();
    match scenario.what {
        What::Kill | What::KillAndMoveOn => {}
        What::KillAmongTwo => ends.push(scene.run()),
        What::Stop => {
            if broken.stands_still() {
                ends.push(scene.run());
                broken.signal("CONT");
            }
        }
    }
    ends.push(broken.end());
    let is_struck = scene.place.text("effects").lines().any(|effect| effect == scenario.effect);
    if let Some(held) = ends.iter().find(|ended| ended.code == Some(3)) {
        return Err(format!("a person is needed: {held:?}"));
    }
    if scenario.what == What::KillAndMoveOn {
        scene.move_on();
    }
    scene.recover()?;
    if matches!(scenario.what, What::Stop | What::KillAndMoveOn) {
        // What one who slept writes when he wakes up, and what is noted on the disk of a machine that is gone, is not found by
        // who comes next, only by going through all keys.
        scene.tidy();
    }
    let differences = [scene.differences(), scene.left_over()].concat();
    if differences.is_empty() { Ok(is_struck) } else { Err(format!("{differences:?} after {ends:?}")) }
}

fn wherever_a_process_dies(input: Input) {
    let Some(effects) = effects(input) else { return };
    // At every effect where a stream is read; what comes after the reading is the same whatever was read, but for where the next
    // reading begins.
    let mut chosen = if is_whole() || input == Input::Stream { effects.clone() } else { thinned(&effects) };
    match input {
        Input::Stream => {}
        Input::Aggregates => chosen.retain(|effect| ["kinesis.", "store."].iter().any(|of| effect.starts_with(of))),
        Input::Objects => chosen.retain(|effect| effect.starts_with("s3.")),
        Input::Archive => {
            // Each of them writes something else.
            let is_chosen = |effect: &String| effect.starts_with("s3.put_object") || chosen.contains(effect);
            chosen = effects.iter().filter(|effect| effect.starts_with("s3.") && is_chosen(effect)).cloned().collect();
        }
    }
    let scenarios = scenarios(input, &chosen);
    let count = scenarios.len();
    let (scenarios, wrong, struck) = (Mutex::new(scenarios), Mutex::new(Vec::new()), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let next = || scenarios.lock().unwrap().pop_front();
                let mut scene = Scene::new(&Cloud::fast().unwrap(), input);
                let mut played = 0;
                while let Some(scenario) = next() {
                    if played == CHAIN_MAX {
                        (scene, played) = (Scene::new(&Cloud::fast().unwrap(), input), 0);
                    }
                    played += 1;
                    match play(&mut scene, &scenario) {
                        Ok(is_struck) => *struck.lock().unwrap() += usize::from(is_struck),
                        Err(what) => {
                            wrong.lock().unwrap().push(format!("{scenario:?}: {what}"));
                            played = CHAIN_MAX;
                        }
                    }
                }
            });
        }
    });
    let (wrong, struck) = (wrong.into_inner().unwrap(), struck.into_inner().unwrap());
    println!("{} effects, {count} scenarios, {struck} struck, {} went wrong", effects.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Which thread comes first differs from run to run, and with it how often some effects come.
    assert!(struck + 4 >= count * 9 / 10, "{struck} of {count} effects were struck");
}

#[test]
fn wherever_a_process_that_reads_a_stream_dies_or_sleeps_nothing_is_lost_or_doubled() {
    wherever_a_process_dies(Input::Stream);
}

#[test]
fn wherever_a_process_dies_that_began_or_ends_within_an_aggregate_nothing_is_lost_or_doubled() {
    wherever_a_process_dies(Input::Aggregates);
}

#[test]
fn wherever_a_process_that_writes_below_prefixes_dies_or_sleeps_readers_of_manifests_see_each_row_once() {
    wherever_a_process_dies(Input::Archive);
}

#[test]
fn wherever_a_process_that_reads_objects_dies_or_sleeps_nothing_is_lost_or_doubled() {
    wherever_a_process_dies(Input::Objects);
}
