//! The gate: where vCPU threads wait, and how others make them.
//!
//! A vCPU enters the guest only through the gate. It is open while the run state says run, no
//! [`Hold`] exists and the vCPU is not detained by a request of its own. Control stops the machine
//! by closing the gate and waiting until every vCPU is parked behind it; it works on a vCPU by
//! sending a closure that the vCPU's thread runs at the gate. Nobody waits for control here except
//! a vCPU whose own request control has not handled yet ([`Detention`]), and it waits outside of
//! any exit.
//!
//! One mutex guards the state; it is never held while a closure or the guest runs. Between exits
//! with nothing to do a vCPU only looks at one atomic flag of its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};

use devices::lock::assert_none_held;

/// Makes a vCPU thread leave the guest and look at the gate. Called with the gate's lock held.
pub(crate) trait Kick: Send {
    fn kick(&self);
}

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// What a vCPU does next.
pub(crate) enum Turn<T> {
    /// Enter the guest.
    Run,
    /// Run this on the thread's own vCPU, then ask again.
    Job(Job<T>),
    /// End the thread.
    Quit,
}

/// The gate in front of all vCPUs of a machine; `T` is what a vCPU thread owns.
pub(crate) struct Gate<T> {
    state: Mutex<State<T>>,
    /// Something changed for the vCPUs.
    opened: Condvar,
    /// A vCPU parked or left.
    parked: Condvar,
    /// By vCPU: it must come to the gate before it enters the guest again.
    attention: Vec<AtomicBool>,
}

struct State<T> {
    running: bool,
    holds: usize,
    cpus: Vec<Cpu<T>>,
}

struct Cpu<T> {
    jobs: VecDeque<Job<T>>,
    detentions: usize,
    parked: bool,
    quit: bool,
    /// Present while the thread lives.
    kick: Option<Box<dyn Kick>>,
}

impl<T> Gate<T> {
    /// A closed gate for `cpus` vCPUs whose threads are not there yet.
    pub(crate) fn new(cpus: usize) -> Arc<Self> {
        let cpu =
            || Cpu { jobs: VecDeque::new(), detentions: 0, parked: false, quit: false, kick: None };
        let cpus: Vec<_> = (0..cpus).map(|_| cpu()).collect();
        Arc::new(Self {
            attention: cpus.iter().map(|_| AtomicBool::new(true)).collect(),
            state: Mutex::new(State { running: false, holds: 0, cpus }),
            opened: Condvar::new(),
            parked: Condvar::new(),
        })
    }

    /// A vCPU thread begins: from now on it can be kicked and is waited for.
    pub(crate) fn join(&self, cpu: usize, kick: Box<dyn Kick>) {
        self.lock().cpus[cpu].kick = Some(kick);
    }

    /// A vCPU thread ends.
    pub(crate) fn leave(&self, cpu: usize) {
        self.lock().cpus[cpu].kick = None;
        self.parked.notify_all();
    }

    /// Whether vCPU `cpu` has to call [`Gate::pass`] before it enters the guest.
    pub(crate) fn wants(&self, cpu: usize) -> bool {
        self.attention[cpu].load(Ordering::SeqCst)
    }

    /// Waits until there is something to do for vCPU `cpu`, whose thread calls this.
    pub(crate) fn pass(&self, cpu: usize) -> Turn<T> {
        assert_none_held();
        let mut state = self.lock();
        loop {
            let open = state.running && state.holds == 0;
            let own = &mut state.cpus[cpu];
            if own.quit {
                return Turn::Quit;
            }
            if let Some(job) = own.jobs.pop_front() {
                return Turn::Job(job);
            }
            if open && own.detentions == 0 {
                own.parked = false;
                self.attention[cpu].store(false, Ordering::SeqCst);
                return Turn::Run;
            }
            if !std::mem::replace(&mut own.parked, true) {
                self.parked.notify_all();
            }
            state = self.opened.wait(state).expect("gate lock");
        }
    }

    /// Opens the gate for all that no hold or detention keeps.
    pub(crate) fn open(&self) {
        self.lock().running = true;
        self.opened.notify_all();
    }

    /// Closes the gate and waits until every vCPU is parked.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.running = false;
        self.park_all(state);
    }

    /// Stops the machine for as long as the hold exists, whatever the run state says.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold<T> {
        let mut state = self.lock();
        state.holds += 1;
        self.park_all(state);
        Hold(self.clone())
    }

    /// Keeps vCPU `cpu`, whose thread calls this, out of the guest until the detention is dropped.
    pub(crate) fn detain(self: &Arc<Self>, cpu: usize) -> Detention<T> {
        self.lock().cpus[cpu].detentions += 1;
        self.attention[cpu].store(true, Ordering::SeqCst);
        Detention { gate: self.clone(), cpu }
    }

    /// Runs `job` on the thread of vCPU `cpu`, soon. It is dropped unrun if the thread has ended.
    pub(crate) fn send(&self, cpu: usize, job: impl FnOnce(&mut T) + Send + 'static) {
        let mut state = self.lock();
        if state.cpus[cpu].quit {
            return;
        }
        state.cpus[cpu].jobs.push_back(Box::new(job));
        self.call_in(&state, cpu);
        self.opened.notify_all();
    }

    /// Runs `job` on the thread of vCPU `cpu` and waits for its result; `None` if the thread has
    /// ended. Never called by a vCPU thread.
    pub(crate) fn call<R: Send + 'static>(
        &self,
        cpu: usize,
        job: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Option<R> {
        assert_none_held();
        let (answer, result) = mpsc::sync_channel(1);
        self.send(cpu, move |own| {
            // The caller waits; a failure to deliver means that it is gone with the process.
            let _ = answer.send(job(own));
        });
        result.recv().ok()
    }

    /// Ends all vCPU threads and drops what was still to be run on them.
    pub(crate) fn quit(&self) {
        let mut state = self.lock();
        for cpu in 0..state.cpus.len() {
            state.cpus[cpu].quit = true;
            state.cpus[cpu].jobs.clear();
            self.call_in(&state, cpu);
        }
        self.opened.notify_all();
    }

    fn park_all(&self, mut state: MutexGuard<'_, State<T>>) {
        assert_none_held();
        for cpu in 0..state.cpus.len() {
            self.call_in(&state, cpu);
        }
        while state.cpus.iter().any(|cpu| cpu.kick.is_some() && !cpu.parked && !cpu.quit) {
            state = self.parked.wait(state).expect("gate lock");
        }
    }

    fn call_in(&self, state: &State<T>, cpu: usize) {
        self.attention[cpu].store(true, Ordering::SeqCst);
        if let Some(kick) = state.cpus[cpu].kick.as_ref().filter(|_| !state.cpus[cpu].parked) {
            kick.kick();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("gate lock")
    }
}

/// The machine is stopped as long as this exists.
pub(crate) struct Hold<T>(Arc<Gate<T>>);

impl<T> Drop for Hold<T> {
    fn drop(&mut self) {
        self.0.lock().holds -= 1;
        self.0.opened.notify_all();
    }
}

/// A vCPU waits for control as long as this exists.
pub(crate) struct Detention<T> {
    gate: Arc<Gate<T>>,
    cpu: usize,
}

impl<T> Drop for Detention<T> {
    fn drop(&mut self) {
        self.gate.lock().cpus[self.cpu].detentions -= 1;
        self.gate.opened.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread::{self, JoinHandle};

    use super::*;

    struct NoKick;
    impl Kick for NoKick {
        fn kick(&self) {}
    }

    /// A vCPU that counts its turns in the guest.
    fn cpu(gate: &Arc<Gate<usize>>, index: usize, turns: &Arc<AtomicUsize>) -> JoinHandle<()> {
        let (gate, turns) = (gate.clone(), turns.clone());
        gate.join(index, Box::new(NoKick));
        thread::spawn(move || {
            let mut own = index;
            loop {
                if gate.wants(index) {
                    match gate.pass(index) {
                        Turn::Run => {}
                        Turn::Job(job) => job(&mut own),
                        Turn::Quit => break,
                    }
                } else {
                    turns.fetch_add(1, Ordering::SeqCst);
                    thread::yield_now();
                }
            }
            gate.leave(index);
        })
    }

    fn advances(turns: &AtomicUsize) -> bool {
        let before = turns.load(Ordering::SeqCst);
        (0..2000).any(|_| {
            thread::sleep(std::time::Duration::from_millis(1));
            turns.load(Ordering::SeqCst) > before + 1
        })
    }

    fn stands(turns: &AtomicUsize) -> bool {
        let before = turns.load(Ordering::SeqCst);
        thread::sleep(std::time::Duration::from_millis(5));
        turns.load(Ordering::SeqCst) == before
    }

    #[test]
    fn a_hold_stops_all_and_counts() {
        let gate = Gate::new(2);
        let turns = Arc::new(AtomicUsize::new(0));
        let cpus = [cpu(&gate, 0, &turns), cpu(&gate, 1, &turns)];
        assert!(stands(&turns));
        gate.open();
        assert!(advances(&turns));
        let (one, two) = (gate.hold(), gate.hold());
        assert!(stands(&turns));
        drop(one);
        assert!(stands(&turns));
        gate.close();
        drop(two);
        assert!(stands(&turns));
        gate.open();
        assert!(advances(&turns));
        gate.quit();
        cpus.into_iter().for_each(|cpu| cpu.join().unwrap());
    }

    #[test]
    fn jobs_run_on_the_vcpu_whether_it_runs_or_is_parked() {
        let gate = Gate::new(2);
        let turns = Arc::new(AtomicUsize::new(0));
        let cpus = [cpu(&gate, 0, &turns), cpu(&gate, 1, &turns)];
        assert_eq!(gate.call(1, |own| *own), Some(1));
        gate.open();
        assert_eq!(gate.call(0, |own| *own), Some(0));
        let hold = gate.hold();
        assert_eq!(gate.call(1, |own| *own + 10), Some(11));
        drop(hold);
        gate.quit();
        cpus.into_iter().for_each(|cpu| cpu.join().unwrap());
        assert_eq!(gate.call(0, |own| *own), None);
    }

    #[test]
    fn a_detained_vcpu_waits_alone() {
        let gate = Gate::new(2);
        let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let cpus = [cpu(&gate, 0, &first), cpu(&gate, 1, &second)];
        gate.open();
        let detention = gate.detain(0);
        assert!(gate.call(0, |_| ()).is_some(), "and still takes jobs");
        assert!(stands(&first) && advances(&second));
        drop(detention);
        assert!(advances(&first));
        gate.quit();
        cpus.into_iter().for_each(|cpu| cpu.join().unwrap());
    }
}
