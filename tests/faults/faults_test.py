"""The pure parts of ./run faults: the account of images, the table of cells, pipeline files."""

import asyncio
import contextlib
import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import types
import unittest

import cells
import command
import faults
import ptrace
import report
import topology
from account import Account
from fleet import Child
from links import Link
from pipeline import CannotStart, Pipeline


def account_with(*images):
    """An account in which the producer's life has sent these images, an id each from 1 on."""
    account = Account(paced="p#1")
    for number, image in enumerate(images, 1):
        account.sent("p#1", number, image, number / 10)
    return account


class AccountTest(unittest.TestCase):
    def answer(self, account, number, label=7, source="single", now=1.0, status="answered"):
        account.result("p#1", number, status, source, label, now)

    def test_an_image_without_a_result_is_lost(self):
        account = account_with(0, 1)
        self.answer(account, 1)
        figures = account.close(before=5)
        self.assertEqual((figures.sent, figures.lost), (2, 1))

    def test_an_image_that_was_sent_after_the_close_is_not_lost(self):
        self.assertEqual(account_with(0, 1).close(before=0.15).lost, 1)

    def test_a_second_result_is_a_double_even_if_the_first_was_of_a_former_cell(self):
        account = account_with(0)
        self.answer(account, 1)
        self.answer(account, 1)
        self.assertEqual(account.close(5).duplicated, 1)
        account.begin(5)
        self.answer(account, 1)
        self.assertEqual(account.close(9).duplicated, 1)

    def test_a_result_for_what_was_not_sent_is_wrong(self):
        account = account_with(0)
        self.answer(account, 2)
        self.assertEqual(account.close(0).wrong, 1)

    def test_another_class_by_an_s_cnn_is_wrong_and_by_a_collage_counts_apart(self):
        account = account_with(0, 0, 0, 0)
        self.answer(account, 1, label=7)
        self.answer(account, 2, label=8, source="hedge")
        self.answer(account, 3, label=8, source="collage")
        self.answer(account, 4, label=7, source="collage")
        figures = account.close(5)
        self.assertEqual((figures.wrong, figures.collage_other, figures.lost), (1, 1, 0))

    def test_a_collage_s_answer_is_no_reference(self):
        account = account_with(0, 0)
        self.answer(account, 1, label=8, source="collage")
        self.answer(account, 2, label=7)
        self.assertEqual((account.close(5).wrong, account.reference), (0, {0: 7}))

    def test_missing_refused_and_rejected_are_told_apart(self):
        account = account_with(0, 1, 2)
        for number, status in enumerate(("missing", "refused", "rejected"), 1):
            self.answer(account, number, label=None, status=status)
        figures = account.close(5)
        self.assertEqual((figures.missing, figures.refused, figures.wrong), (1, 1, 1))

    def test_the_longest_gap_is_between_answers_of_the_paced_producer_alone(self):
        account = account_with(0, 1, 2)
        account.sent("q#1", 1, 0, 0.1)
        self.answer(account, 1, now=0.5)
        account.result("q#1", 1, "answered", "single", 7, 1.5)
        self.answer(account, 3, now=2.0, status="missing", label=None)
        self.answer(account, 2, now=3.0)
        self.assertEqual(account.figures.longest_gap_s, 2.5)
        account.end_gap(7.0)
        self.assertEqual(account.figures.longest_gap_s, 4.0)

    def test_images_of_a_producer_that_a_fault_ended_are_nobody_s(self):
        for excused in (True, False):
            account = account_with(0, 1)
            self.answer(account, 1)
            account.end_life("p#1", excused)
            figures = account.close(5)
            self.assertEqual((figures.sent, figures.lost), (1, 0) if excused else (2, 1))

    def test_a_cell_counts_what_was_sent_in_it(self):
        account = account_with(0, 1)
        account.begin(5)
        self.answer(account, 1, now=5.1)
        account.sent("p#1", 3, 2, 5.2)
        figures = account.close(9)
        self.assertEqual((figures.sent, figures.lost), (1, 1))

    def test_recovery_ends_with_the_last_slow_answer_before_the_next_fault(self):
        account = account_with(0, 1, 2)  # Sent at 0.1, 0.2 and 0.3.
        self.answer(account, 1, now=0.15)
        self.assertEqual(account.slow_until(0.2, 0.4), 0.2)
        self.answer(account, 2, now=2.0)
        self.answer(account, 3, now=0.4)
        self.assertEqual(account.slow_until(0.2, 3.0), 2.0)
        self.assertEqual(account.slow_until(0.2, 1.5), 1.5)
        # The second was sent just before the fault at 0.3, and is of that one.
        self.assertEqual(account.slow_until(0.0, 0.3), 0.0)
        self.assertEqual(account.slow_until(0.3, 3.0), 2.0)

    def test_an_open_image_is_not_steady(self):
        account = account_with(0)
        self.assertFalse(account.steady(0.5))
        self.answer(account, 1, now=0.2)
        self.assertTrue(account.steady(0.5))
        self.assertFalse(account.steady(9))


class CellsTest(unittest.TestCase):
    def test_every_cell_has_a_meaning_or_a_reason(self):
        self.assertEqual(len(cells.all_cells()) + len(cells.NO_MEANING),
                         len(cells.FAULTS) * len(cells.ROLES))

    def test_cells_are_chosen_by_fault_or_by_fault_and_role(self):
        self.assertEqual(cells.chosen([]), cells.all_cells())
        self.assertEqual([cell.name for cell in cells.chosen(["cut/sink", "cut/sink"])],
                         ["cut/sink"])
        self.assertEqual({cell.fault.name for cell in cells.chosen(["kill"])}, {"kill"})
        with self.assertRaisesRegex(ValueError, "no cell is named kill/nobody"):
            cells.chosen(["kill/nobody"])

    def test_a_cell_without_a_meaning_is_refused_with_why(self):
        with self.assertRaisesRegex(ValueError, "writes no log"):
            cells.chosen(["logs-full/producer"])

    def test_a_fault_is_over_for_a_second_before_the_next(self):
        periods = {fault.name: cells.period(fault, 3) for fault in cells.FAULTS}
        self.assertEqual((periods["kill"], periods["hang"], periods["stop-5s"]), (3, 3, 6))


RECORD = {"fault": "kill", "role": "sink", "repetitions": 20, "sent": 6600, "lost": 0,
          "duplicated": 0, "wrong": 0, "missing": 12, "longest_gap_s": 0.2, "recovered_s": 0.4,
          "http": {"sent": 300, "lost": 0, "wrong": 0, "missing": 0}, "commit": "abc"}


class EndsTest(unittest.TestCase):
    def test_only_what_the_fault_was_not_to_end_is_unexpected(self):
        ended = {"sink-0: SIGKILL": 20, "broker-0: SIGABRT": 1}
        self.assertEqual(cells.unexpected_ends(RECORD | {"ended": ended}),
                         {"broker-0: SIGABRT": 1})
        self.assertEqual(cells.unexpected_ends(RECORD | {"fault": "slow", "ended": ended}), ended)


class ReportTest(unittest.TestCase):
    def test_a_cell_is_known_if_commit_and_setting_are_the_same(self):
        cell, = cells.chosen(["kill/sink"])
        self.assertTrue(report.known([RECORD], cell, {"commit": "abc", "repetitions": 20}))
        self.assertFalse(report.known([RECORD], cell, {"commit": "abd"}))
        self.assertFalse(report.known([RECORD], cells.chosen(["kill/broker"])[0],
                                      {"commit": "abc"}))
        self.assertFalse(report.known([RECORD | {"commit": "abc+"}], cell, {"commit": "abc+"}))

    def test_a_line_has_eighty_columns_and_marks_what_is_missed(self):
        for fault in cells.FAULTS:
            line = report.line(RECORD | {"fault": fault.name, "role": "classifier"})
            self.assertEqual(len(line), len(report.HEADER) + 1)
            self.assertLessEqual(len(line), 79)
        self.assertTrue(report.line(RECORD).endswith(" "))
        self.assertTrue(report.line(RECORD | {"longest_gap_s": 5.1}).endswith("*"))
        self.assertTrue(report.line(RECORD | {"lost": 1}).endswith("!"))
        http = RECORD["http"] | {"wrong": 1}
        self.assertTrue(report.line(RECORD | {"http": http}).endswith("!"))

    def test_the_table_has_a_row_for_each_fault_that_was_inflicted(self):
        other = RECORD | {"role": "gateway", "lost": 1, "missing": 0}
        rows = report.table([RECORD, other]).splitlines()
        self.assertEqual(rows[2:], ["| kill |  |  | 12 0.2 |  |  |  | 0 0.2! |"])
        self.assertTrue(all(len(row) <= 80 for row in rows))

    def test_the_file_is_read_as_it_was_written(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "faults.json"
            self.assertEqual(report.load(file), [])
            report.save(file, [RECORD, RECORD])
            self.assertEqual(json.loads(file.read_text()), [RECORD, RECORD])
            self.assertEqual(report.load(file), [RECORD, RECORD])


class SharedRun(faults.Run):
    """Inflicts nothing; says which pipeline got which cell."""

    async def run_one(self, pipeline, cell):
        await asyncio.sleep(0)
        return RECORD | {"fault": cell.fault.name, "role": cell.role, "pipeline": pipeline}


class RunTest(unittest.TestCase):
    def shared(self, minutes, pipelines):
        with tempfile.TemporaryDirectory() as folder:
            options = faults.parse(["--out", folder, "--minutes", str(minutes),
                                    "--repetitions", "2"])
            run = SharedRun(options, cells.chosen(["kill"]), [], {})
            with contextlib.redirect_stdout(io.StringIO()):
                left = asyncio.run(run.run_all(pipelines))
            return run.records, left

    def test_pipelines_share_the_cells_out_and_none_comes_twice(self):
        records, left = self.shared(50, ["a", "b"])
        self.assertEqual(left, [])
        self.assertEqual([record["role"] for record in records], list(cells.ROLES))
        self.assertEqual({record["pipeline"] for record in records}, {"a", "b"})

    def test_no_cell_begins_that_would_not_end_in_time(self):
        records, left = self.shared(0.05, ["a", "b"])  # A cell takes 6 s.
        self.assertEqual(records, [])
        self.assertEqual(left, cells.chosen(["kill"]))


class TogetherTest(unittest.TestCase):
    def test_the_others_are_ended_before_the_exception_is_passed_on(self):
        ended = []

        async def wait():
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        async def fail():
            await asyncio.sleep(0)
            raise OSError("no port")

        with self.assertRaisesRegex(OSError, "no port"):
            asyncio.run(command.together(wait(), fail()))
        self.assertEqual(ended, [True])


class TopologyTest(unittest.TestCase):
    def built(self, size):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        builder = topology.build(size, pathlib.Path("/bin"), self.folder)
        builder.ports.release()
        return builder.made

    def test_every_role_but_the_producer_has_a_process_with_links(self):
        made = self.built(topology.Size())
        for role in cells.ROLES:
            for name in made.of_role(role):
                self.assertTrue(made.links_of(name), name)
            self.assertEqual(bool(made.of_role(role)), role != "producer", role)

    def test_who_connects_has_the_forwarder_s_port_and_who_binds_its_own(self):
        made = self.built(topology.Size())
        link, = [link for link in made.links_of("sink-0") if link.client == "sink-0"]
        self.assertIn(f"workers: tcp://127.0.0.1:{link.port}\n",
                      (self.folder / "sink-0.yaml").read_text())
        self.assertIn(f"workers: tcp://127.0.0.1:{link.target}\n",
                      (self.folder / "broker-0.yaml").read_text())

    def test_tables_can_be_made_small(self):
        self.built(topology.Size(table_max=7))
        self.assertIn("  open_batch_max: 7\n", (self.folder / "sink-0.yaml").read_text())

    def test_those_of_one_kind_do_the_same_for_the_same_broker(self):
        made = self.built(topology.Size(brokers=2))
        kinds = {one.name: one.kind for one in made.programs}
        self.assertEqual(kinds["classifier-0"], kinds["classifier-2"])
        self.assertNotEqual(kinds["classifier-0"], kinds["classifier-1"])
        self.assertEqual((kinds["collage-cnn-1"], kinds["gateway"]),
                         ("collage-cnn of broker-1", "gateway of broker-0"))

    def test_several_sinks_are_a_list_and_several_brokers_share_the_stages(self):
        made = self.built(topology.Size(brokers=2, sinks=2))
        self.assertEqual(len(made.of_role("sink")), 4)
        self.assertRegex((self.folder / "classifier-1.yaml").read_text(),
                         r"answers: \[tcp://127.0.0.1:\d+, tcp://127.0.0.1:\d+\]")
        self.assertEqual({link.server for link in made.links_of("classifier-1")},
                         {"broker-1", "sink-1", "sink-3"})

    def test_the_gateway_lists_every_broker_through_a_forwarder(self):
        made = self.built(topology.Size(brokers=2))
        links = made.links_of("gateway")
        self.assertEqual([link.server for link in links], ["broker-0", "broker-1"])
        self.assertIn("brokers: [" + ", ".join(f"tcp://127.0.0.1:{link.port}" for link in links)
                      + "]", (self.folder / "gateway.yaml").read_text())
        self.assertIn("brokers: []", (self.folder / "broker-0.yaml").read_text())


class ChildTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_process_is_up_once_this_life_of_it_has_said_so(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        script = "read line < go; echo 'sink 0: up, collage' >&2; exec sleep 600"
        os.mkfifo(folder / "go")
        child = Child("sink-0", ["/bin/sh", "-c", f"cd {folder}; {script}"], folder)
        for _ in range(2):
            child.start(pathlib.Path())
            self.assertFalse(child.up())
            (folder / "go").write_text("go\n")
            while not child.up():
                await asyncio.sleep(0.01)
            child.stopping = True
            child.signal(signal.SIGKILL)
            await child.ended.wait()
            self.assertFalse(child.up())

    async def lives_of(self, *codes):
        """Of a process that ends with these exit codes, one in each life."""
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        (folder / "codes").write_text("".join(f"{code}\n" for code in codes))
        script = "read code < codes; sed -i 1d codes; echo 'why it ended' >&2; exit $code"
        ends = asyncio.Queue()
        child = Child("sink-0", ["/bin/sh", "-c", f"cd {folder}; {script}"], folder,
                      on_end=lambda _, code: ends.put_nowait(code))
        child.start(pathlib.Path())
        for code in codes:
            self.assertEqual(await asyncio.wait_for(ends.get(), 20), code)
        return child

    async def test_a_process_that_ends_is_started_again_unless_it_says_that_it_cannot_start(self):
        child = await self.lives_of(1, 0, 2)
        self.assertTrue(child.given_up)
        pipeline = types.SimpleNamespace(children={child.name: child})
        with self.assertRaisesRegex(CannotStart, "sink-0#3 .* exit code 2, .*: why it ended"):
            Pipeline.stop_if_broken(pipeline)

    async def test_a_process_that_is_started_again_does_not_stop_the_measurement(self):
        child = await self.lives_of(1)
        self.assertFalse(child.given_up)
        Pipeline.stop_if_broken(types.SimpleNamespace(children={child.name: child}))
        await child.end()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class LinkTest(unittest.IsolatedAsyncioTestCase):
    """A forwarder between a client and a server that repeats what it reads."""

    async def asyncSetUp(self):
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.link = Link("client", "server", port, server.sockets[0].getsockname()[1])
        listener = await self.link.open()
        self.closed = [server, listener]
        await self.connect()
        await self.say(b"hello")

    async def asyncTearDown(self):
        self.link.reset()
        for one in self.closed:
            one.close()
            with contextlib.suppress(ConnectionResetError):
                await one.wait_closed()

    async def connect(self):
        self.reader, writer = await asyncio.open_connection("127.0.0.1", self.link.port)
        self.writer = writer
        self.closed.insert(0, writer)

    async def say(self, data, expected=None):
        self.writer.write(data)
        expected = data if expected is None else expected
        got = await asyncio.wait_for(self.reader.readexactly(len(expected)), 10)
        self.assertEqual(got, expected)

    async def assert_reset(self):
        with self.assertRaises(ConnectionResetError):
            await asyncio.wait_for(self.reader.read(1), 10)

    async def test_a_cut_link_is_reset_and_can_be_made_again(self):
        self.link.reset()
        await self.assert_reset()
        await self.connect()
        await self.say(b"again")

    async def test_of_a_half_message_the_first_half_comes_and_then_a_reset(self):
        self.link.halve()
        # The server gets half of it, and the client half of what the server repeats.
        await self.say(b"12345678", b"12")
        self.link.heal()
        await self.assert_reset()

    async def test_a_link_whose_bytes_have_vanished_is_reset_when_it_heals(self):
        self.link.drop(inbound=False, outbound=True)
        self.writer.write(b"lost")
        while not any(end.holed for end in self.link.ends):
            await asyncio.sleep(0)
        self.link.heal()
        await self.assert_reset()

    async def test_what_is_not_read_comes_later(self):
        self.link.read(False)
        self.writer.write(b"late")
        self.link.heal()
        self.assertEqual(await asyncio.wait_for(self.reader.readexactly(4), 10), b"late")


@unittest.skipUnless(ptrace.possible(), "another machine")
class PtraceTest(unittest.TestCase):
    def started(self, *argv, **options):
        process = subprocess.Popen(argv, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while "libc.so" not in pathlib.Path(f"/proc/{process.pid}/maps").read_text():
            pass
        return process

    def test_a_process_whose_thread_hangs_works_on_for_ever(self):
        process = self.started("sleep", "600")
        ptrace.hang(process.pid)
        self.assertEqual(pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[2], "R")

    def test_an_output_can_be_put_on_a_full_disk_and_back(self):
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        process = self.started("cat", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, pass_fds=[full])
        self.addCleanup(process.stdin.close)
        ptrace.duplicate(process.pid, full, 1)
        self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/1"), "/dev/full")
        # It is still in the call in which it was, and notices that its output is full.
        process.stdin.write(b"a")
        process.stdin.flush()
        self.assertEqual(process.wait(timeout=20), 1)


if __name__ == "__main__":
    unittest.main()
