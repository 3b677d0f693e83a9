/* SPDX-License-Identifier: BSD-3-Clause */
/* Heirs of a role: a second process beside the owner, and its promotion, on a whole small core. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "lib/client/client_priv.h"
#include "test/unit/mini_core.h"

#define PID_OWNER 4711
#define PID_HEIR 4712

struct process {
	struct bh_handle *echo, *slow; /* one connection to each service, by the same socket */
	int fd;
};

/* Gives a socket of the role to a proxy: an owner's, or an heir's. */
static int
give(unsigned int proxy, bool heir, uint32_t pid)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(heir ? bh_proxy_give_heir(mini.proxy[proxy], fds[0], BH_ROLE_ROUTING, pid)
			      : bh_proxy_give_role(mini.proxy[proxy], fds[0], BH_ROLE_ROUTING, pid), 0);
	return fds[1];
}

static void
start(struct process *p, unsigned int proxy, bool heir, uint32_t pid)
{
	struct bh_open_args args = {heir ? "heir" : "owner", BH_SERVICE_ECHO, -1, NULL};

	p->fd = args.role_fd = give(proxy, heir, pid);
	p->echo = bh_open(&args);
	args.service = MINI_SERVICE_SLOW;
	p->slow = bh_open(&args);
}

static void
end(struct process *p)
{
	bh_close(p->echo);
	bh_close(p->slow);
	close(p->fd);
}

/* The end of a promotion that proxy tells, waited for. */
static struct bh_promotion
promotion(unsigned int proxy)
{
	struct bh_promotion p = {0};

	for (int n = 0; n < 5000; n++) {
		if (bh_proxy_promotion(mini.proxy[proxy], &p))
			return p;
		usleep(1000);
	}
	ck_abort_msg("no end of the promotion is told");
	return p;
}

/* The epoch that bhctl shows of a client's channel. */
static uint32_t
epoch_of(const char *client)
{
	const struct bh_stats_conn *c = mini_conn(client, BH_CONN_DIRECT);

	ck_assert_ptr_nonnull(c);
	return c->epoch;
}

/* Beside the owner nothing changes; promoted, the owner of before is out, by each service, and the
 * heir's channel goes on. _i: the owner came by the same proxy, or by the other. */
START_TEST(promoted)
{
	struct process owner, heir;
	struct bh_promotion p;
	uint32_t channel;
	int rc;

	start(&owner, _i, false, PID_OWNER);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	start(&heir, 0, true, PID_HEIR);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	channel = bh_connection(heir.echo)->channel;
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR), 0);
	p = promotion(0);
	ck_assert(p.done);
	ck_assert_uint_eq(p.pid, PID_HEIR);
	ck_assert_uint_eq(p.role, BH_ROLE_ROUTING);
	/* By the time that it is told, the owner of before is cut off. */
	ck_assert_uint_eq(__atomic_load_n(&owner.echo->sh->closed, __ATOMIC_ACQUIRE), 1);
	rc = mini_nop(owner.echo);
	ck_assert(rc == (_i == 0 ? -ECONNRESET : -ESTALE));
	rc = mini_nop(owner.slow); /* a service that it never spoke to refuses it too */
	ck_assert(rc == (_i == 0 ? -ECONNRESET : -ESTALE));
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	ck_assert_uint_eq(bh_connection(heir.echo)->channel, channel);
	ck_assert_int_eq(mini_nop(heir.slow), 0);
	end(&owner);
	end(&heir);
}
END_TEST

/* The epoch of the heir's channel is the new owner's: a later owner ends it as any. */
START_TEST(replaced_after)
{
	struct process owner, heir, next;
	uint32_t epoch;

	start(&owner, 0, false, PID_OWNER);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	epoch = epoch_of("owner");
	start(&heir, 0, true, PID_HEIR);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR), 0);
	ck_assert(promotion(0).done);
	ck_assert_uint_gt(epoch_of("heir"), epoch);
	start(&next, 1, false, PID_OWNER);
	ck_assert_int_eq(mini_nop(next.echo), 0);
	ck_assert_int_eq(bh_poll(heir.echo, 5000), -ECONNRESET);
	ck_assert_int_eq(mini_nop(heir.echo), -ESTALE);
	end(&owner);
	end(&heir);
	end(&next);
}
END_TEST

/* An owner that dies and is started again does not disturb the heir; the heir is promoted after. */
START_TEST(owner_restarted)
{
	struct process owner, heir, next;

	start(&owner, 0, false, PID_OWNER);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	start(&heir, 0, true, PID_HEIR);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	end(&owner);
	start(&next, 1, false, PID_OWNER + 10);
	ck_assert_int_eq(mini_nop(next.echo), 0);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR), 0);
	ck_assert(promotion(0).done);
	ck_assert_int_eq(bh_poll(next.echo, 5000), -ECONNRESET);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	end(&heir);
	end(&next);
}
END_TEST

/* Who is no heir is not promoted, and that costs the owner nothing. */
START_TEST(refused)
{
	struct process owner, heir;

	start(&owner, 0, false, PID_OWNER);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR), 0);
	ck_assert(!promotion(0).done);
	start(&heir, 0, true, PID_HEIR);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR + 1), 0);
	ck_assert(!promotion(0).done);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[1], BH_ROLE_ROUTING, PID_HEIR), 0);
	ck_assert(!promotion(1).done);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_SNMP, PID_HEIR), 0);
	ck_assert(!promotion(0).done);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	end(&heir); /* it dies */
	ck_assert_ptr_nonnull(mini_conn("heir", BH_CONN_CLOSED));
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR), 0);
	ck_assert(!promotion(0).done);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	end(&owner);
}
END_TEST

/* An heir that has said nothing yet is promoted too, and comes as the owner. */
START_TEST(silent)
{
	struct process owner, heir;

	start(&owner, 0, false, PID_OWNER);
	ck_assert_int_eq(mini_nop(owner.echo), 0);
	start(&heir, 0, true, PID_HEIR);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR), 0);
	ck_assert(promotion(0).done);
	ck_assert_int_eq(bh_poll(owner.echo, 5000), -ECONNRESET);
	ck_assert_int_eq(mini_nop(heir.echo), 0);
	end(&owner);
	end(&heir);
}
END_TEST

/* A second heir takes the place of the first. */
START_TEST(second_heir)
{
	struct process first, second;

	start(&first, 0, true, PID_HEIR);
	ck_assert_int_eq(mini_nop(first.echo), 0);
	start(&second, 0, true, PID_HEIR + 1);
	ck_assert_int_eq(mini_nop(second.echo), 0);
	ck_assert_int_eq(bh_poll(first.echo, 5000), -ECONNRESET);
	ck_assert_int_eq(mini_nop(first.echo), -ECONNRESET);
	end(&first);
	end(&second);
}
END_TEST

/* Promotions, while a service comes and goes, each end once. */
START_TEST(service_goes)
{
	struct process owner, heir;

	start(&owner, 0, false, PID_OWNER);
	for (unsigned int n = 0; n < 20; n++) {
		start(&heir, 0, true, PID_HEIR + n);
		mini_nop(heir.echo);
		if (n % 2 == 0)
			mini_echo_stop();
		ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_ROUTING, PID_HEIR + n), 0);
		if (n % 2 == 1)
			mini_echo_stop();
		ck_assert(promotion(0).done);
		mini_echo_start();
		ck_assert_int_eq(mini_nop(heir.slow), 0);
		end(&owner);
		owner = heir;
	}
	end(&owner);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_heir");
	TCase *tc = tcase_create("heir");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, promoted, 0, 2);
	tcase_add_test(tc, replaced_after);
	tcase_add_test(tc, owner_restarted);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, silent);
	tcase_add_test(tc, second_heir);
	tcase_add_test(tc, service_goes);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(getenv("BH_TEST_POLL_US") != NULL ? atoi(getenv("BH_TEST_POLL_US")) : 1000);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
