//! The follower of a file: what is appended to it, through rotations by rename and by copy and truncate, also those
//! that happened while nobody looked. What it has read is kept in the book with the entries that it read.

mod follower;

use super::intake::{Failure, Job, Line};
use super::place::Place;
use follower::{Follower, Step};
use std::io;
use std::time::Duration;
use tokio::time::sleep;

const LOOK_EVERY: Duration = Duration::from_millis(200);

pub async fn run(job: Job) -> Result<(), Failure> {
    let path = job.config.path.clone();
    let path = path.ok_or_else(|| Failure("it has no path".to_owned()))?;
    let failed = |cause: io::Error| Failure::of(path.display(), cause);
    let kept = kept(&job).await?.filter(|place| place.path == path);
    let mut follower = Follower::new(path.clone(), job.most(), job.config.from(), kept);
    let mut has_begun = false;
    loop {
        let (again, step) = look(follower).await?;
        follower = again;
        let step = step.map_err(failed)?;
        if !std::mem::replace(&mut has_begun, true) {
            job.begun(Vec::new());
        }
        match step {
            Step::Lines { lines, places } => {
                if !recorded(&job, lines, |at| places.of(at)).await? {
                    return Ok(());
                }
                job.told.goes_on();
            }
            Step::Moved(place) => {
                if !job.keep_place(text(&place)).await? {
                    return Ok(());
                }
            }
            Step::Nothing { is_missing } => {
                match is_missing {
                    true => job.told.waiting("there is no such file yet"),
                    false => job.told.goes_on(),
                }
                tokio::select! {
                    () = job.told_to_stop() => {}
                    () = sleep(LOOK_EVERY) => {}
                }
            }
        }
        if job.is_told_to_stop() {
            return Ok(());
        }
    }
}

/// On a thread for what may block: a file may be on a disk of another machine.
async fn look(mut follower: Follower) -> Result<(Follower, io::Result<Step>), Failure> {
    let looked = tokio::task::spawn_blocking(move || {
        let step = follower.step();
        (follower, step)
    });
    looked
        .await
        .map_err(|cause| Failure::of("following", cause))
}

/// False when it was told to stop before all of them were in the book.
async fn recorded(
    job: &Job,
    lines: Vec<Line>,
    place: impl Fn(usize) -> Place,
) -> Result<bool, Failure> {
    let rate = usize::try_from(job.config.lines_per_second).unwrap_or(usize::MAX);
    let together = if rate == 0 { lines.len() } else { rate };
    let mut done = 0;
    for part in lines.chunks(together.max(1)) {
        for _ in part {
            job.pass().await;
        }
        let place_of = |at: usize| Some(text(&place(done + at)));
        if job.is_told_to_stop() || !job.keep(part, &place_of).await? {
            return Ok(false);
        }
        part.iter().for_each(|line| job.received(line.bytes.len()));
        done += part.len();
    }
    Ok(true)
}

fn text(place: &Place) -> String {
    serde_json::to_string(place).expect("a place is plain values, and its path UTF-8")
}

async fn kept(job: &Job) -> Result<Option<Place>, Failure> {
    let Some(value) = job.cursor().await? else {
        return Ok(None);
    };
    // What another kind of capture kept under this name says nothing here.
    Ok(serde_json::from_str(&value).ok())
}
