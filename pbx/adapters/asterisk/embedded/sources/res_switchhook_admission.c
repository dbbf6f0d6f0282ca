/*
 * Refuses new calls at once where more come than can be served, before they cost more than the reading.
 *
 * Copyright (C) 2026 the makers of Switchhook. This file is linked into Asterisk and may be distributed and changed
 * under the terms of the GNU General Public License, version 2.
 *
 * A call waits from its INVITE until something has been done for it: an INVITE that goes out for it, or an answer above
 * 100. So few may wait at once, and for so short a time, that none waits long, whether Asterisk or the engine is slow: a
 * call that would be one too many gets 503 here, behind authentication and before it has a session, a channel or a step of the dialplan. This
 * holds in a rush only: a burst where few call is served a little later, and nobody is refused for it.
 *
 * The engine says once with what words (global variable SWITCHHOOK_OVERLOADED, see switchhook_refusal.h); before that
 * nobody is refused. Each refused call is a line of the log level "fallback", from which it comes into the log of calls,
 * and the event SwitchhookRefusing of the manager tells once a second that there are some. Emergency numbers, and
 * what belongs to a call that is up, are never refused.
 */

/*** MODULEINFO
	<depend>pjproject</depend>
	<depend>res_pjsip</depend>
	<depend>res_pjsip_session</depend>
	<support_level>extended</support_level>
 ***/

#include "asterisk.h"

#include <pjsip.h>
#include <pjsip_ua.h>

#include "asterisk/callerid.h"
#include "asterisk/channel.h"
#include "asterisk/logger.h"
#include "asterisk/manager.h"
#include "asterisk/module.h"
#include "asterisk/pbx.h"
#include "asterisk/res_pjsip.h"
#include "asterisk/res_pjsip_session.h"

#include "switchhook_refusal.h"

#define VARIABLE "SWITCHHOOK_OVERLOADED"
#define LOG_LEVEL "fallback"
#define EMERGENCY "fallback-emergency" /* the context that has an extension for each such number */
#define LONGEST_NUMBER 64
#define LONGEST_CALLER 32

#define SECOND_US 1000000
#define RUSH 60 /* calls that came within a second: fifty that come at once are a busy morning, and taken */
#define MOST_WAITING 12 /* a moment of the machine, as it goes by itself */
#define LEAST_WAITING 1 /* each of the last 64 calls that was refused takes a place away, down to this one */
#define TOO_LONG_US 50000 /* who comes in waits about as long as those who wait longest: */
#define MOST_TOO_LONG 2 /* more than these, as one may wait for something of its own */
#define FORGOTTEN_AFTER_US SECOND_US /* so that a call for which nothing is ever done keeps nobody out for long */
#define PLACES 128

/*! A call that waits. The empty place has no ``since_us``. */
struct waiting {
	int64_t since_us;
	pj_uint32_t key;
	char linkedid[AST_MAX_UNIQUEID];
};

AST_MUTEX_DEFINE_STATIC(lock);
static struct waiting places[PLACES];
static int64_t came_us[RUSH]; /* the last ones, in a ring */
static int next; /* the place of the one that came longest ago */
static uint64_t outcomes; /* of the last 64 calls, a bit each: 1 where it was refused */
static int64_t told_us;
static unsigned int refused; /* since the module was loaded */

/*! By a clock that nobody sets. */
static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* -- who waits ------------------------------------------------------------------------------------------------------ */

static pj_uint32_t key_of(const pj_str_t *call_id, const pj_str_t *tag)
{
	return pj_hash_calc(pj_hash_calc(0, call_id->ptr, call_id->slen), tag->ptr, tag->slen);
}

/*! With the lock held. How many wait, and how many of them too long; what has waited for ever is forgotten on the way. */
static int count_waiting(int64_t now, int *too_long)
{
	int at, count = 0;

	*too_long = 0;
	for (at = 0; at < PLACES; at++) {
		int64_t waited_us = now - places[at].since_us;

		if (!places[at].since_us) {
			continue;
		}
		if (waited_us > FORGOTTEN_AFTER_US) {
			places[at].since_us = 0;
			continue;
		}
		count++;
		*too_long += waited_us > TOO_LONG_US;
	}
	return count;
}

static void begin_waiting(pj_uint32_t key, int64_t now)
{
	int at;

	for (at = 0; at < PLACES; at++) {
		if (!places[at].since_us) {
			places[at].since_us = now;
			places[at].key = key;
			places[at].linkedid[0] = '\0';
			return;
		}
	}
}

static void end_waiting(pj_uint32_t key, const char *linkedid)
{
	int at;

	ast_mutex_lock(&lock);
	for (at = 0; at < PLACES; at++) {
		if (places[at].since_us && (linkedid ? !strcmp(places[at].linkedid, linkedid) : places[at].key == key)) {
			places[at].since_us = 0;
		}
	}
	ast_mutex_unlock(&lock);
}

static int in_rush(int64_t now)
{
	int64_t first = came_us[next];

	came_us[next] = now;
	next = (next + 1) % RUSH;
	return first && now - first < SECOND_US;
}

/*! The fewer the more of the last calls were one too many: what waits is what those who come in wait for. */
static int most_now(void)
{
	return MAX(LEAST_WAITING, MOST_WAITING - __builtin_popcountll(outcomes));
}

/*! Whether the call may come in; it waits from then on. */
static int let_in(pj_uint32_t key)
{
	int64_t now = now_us();
	int refuse, waiting, too_long;

	ast_mutex_lock(&lock);
	waiting = count_waiting(now, &too_long);
	refuse = in_rush(now) && (waiting >= most_now() || too_long > MOST_TOO_LONG);
	outcomes = outcomes << 1 | refuse;
	if (!refuse) {
		begin_waiting(key, now);
	}
	ast_mutex_unlock(&lock);
	return !refuse;
}

/* -- what is refused ------------------------------------------------------------------------------------------------ */

/*! Only what is in ``allowed``, as the dialplan's FILTER() does. */
static void keep_only(char *to, size_t size, const char *from, const char *allowed)
{
	size_t used = 0;

	for (; *from && used < size - 1; from++) {
		if (strchr(allowed, *from)) {
			to[used++] = *from;
		}
	}
	to[used] = '\0';
}

#define DIGITS "0123456789"
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/*! As from-trunk.conf and from-endpoint.conf hand it over: with "!" before it where it was no number. */
static void number_dialled(char *to, const char *exten, int outbound)
{
	keep_only(to, LONGEST_NUMBER + 1, exten, outbound ? DIGITS "+*#" : DIGITS "+");
	if (strcmp(to, exten)) {
		to[0] = '!';
		keep_only(to + 1, LONGEST_NUMBER, exten, DIGITS SMALL LARGE "+");
	}
}

/*! One line for the log of calls: shed|name|epoch|in or out|endpoint|called|caller. */
static void write_down(pjsip_rx_data *rdata, const struct ast_sip_endpoint *endpoint, const char *exten, int outbound,
	unsigned int number)
{
	char called[LONGEST_NUMBER + 1], caller[LONGEST_CALLER + 1] = "", name[AST_MAX_EXTENSION];
	int level = ast_logger_get_dynamic_level(LOG_LEVEL);
	struct ast_party_id id;
	struct timeval now = ast_tvnow();

	if (level < 0) {
		return;
	}
	number_dialled(called, exten, outbound);
	if (!outbound) {
		ast_party_id_init(&id);
		ast_sip_set_id_from_invite(rdata, &id, (struct ast_party_id *) &endpoint->id.self, endpoint->id.trust_inbound);
		if (id.number.valid) {
			keep_only(caller, sizeof(caller), S_OR(id.number.str, ""), DIGITS "+");
		}
		ast_party_id_free(&id);
	}
	keep_only(name, sizeof(name), ast_sorcery_object_get_id(endpoint), DIGITS SMALL "_");
	ast_log(level, __FILE__, __LINE__, __func__, "shed|%jd.%06d.%u|%jd|%s|%s|%s|%s\n",
		(intmax_t) now.tv_sec, (int) now.tv_usec, number, (intmax_t) now.tv_sec,
		outbound ? "out" : "in", name, called, caller);
}

/*! The engine reads the lines when nothing more is told. */
static unsigned int tell(void)
{
	int64_t now = now_us();
	unsigned int number;
	int tell_now;

	ast_mutex_lock(&lock);
	number = ++refused;
	tell_now = now - told_us >= SECOND_US;
	if (tell_now) {
		told_us = now;
	}
	ast_mutex_unlock(&lock);
	if (tell_now) {
		manager_event(EVENT_FLAG_SYSTEM, "SwitchhookRefusing", "Refused: %u\r\n", number);
	}
	return number;
}

/*! With a transaction: a request that is repeated must meet the same answer, not be taken after all. */
static void refuse(pjsip_rx_data *rdata, struct ast_sip_endpoint *endpoint, const char *exten, int outbound, char *told)
{
	pjsip_tx_data *answer;

	if (ast_sip_create_response(rdata, PJSIP_SC_SERVICE_UNAVAILABLE, NULL, &answer)) {
		return;
	}
	add_refusal(answer, told);
	ast_sip_add_header(answer, "Reason", "Q.850;cause=42");
	ast_sip_send_stateful_response(rdata, answer, endpoint);
	write_down(rdata, endpoint, exten, outbound, tell());
}

/*! What it goes to, as res_pjsip_session reads it. */
static void exten_of(char *exten, pjsip_uri *uri)
{
	ast_copy_pj_str(exten, ast_sip_pjsip_uri_get_username(uri), AST_MAX_EXTENSION);
	if (ast_strlen_zero(exten)) {
		strcpy(exten, "s");
	}
	AST_SIP_USER_OPTIONS_TRUNCATE_CHECK(exten);
}

/*! Whether the engine has said with what words to refuse. */
static int told_how(char *told)
{
	char *found = NULL;

	pbx_retrieve_variable(NULL, VARIABLE, &found, told, LONGEST_TOLD, NULL);
	return !ast_strlen_zero(found);
}

/*! Whether the call was refused. */
static int judge(pjsip_rx_data *rdata, struct ast_sip_endpoint *endpoint)
{
	char exten[AST_MAX_EXTENSION], told[LONGEST_TOLD];
	int outbound = !strcmp(endpoint->context, "from-endpoint");

	if (!outbound && strcmp(endpoint->context, "from-trunk")) {
		return 0;
	}
	exten_of(exten, rdata->msg_info.msg->line.req.uri);
	if (let_in(key_of(&rdata->msg_info.cid->id, &rdata->msg_info.from->tag)) || !told_how(told)
		|| (outbound && ast_exists_extension(NULL, EMERGENCY, exten, 1, NULL))) {
		return 0;
	}
	refuse(rdata, endpoint, exten, outbound, told);
	return 1;
}

static pj_bool_t admission_on_rx_request(pjsip_rx_data *rdata)
{
	static const pj_str_t replaces = { "Replaces", 8 };
	pjsip_msg *message = rdata->msg_info.msg;
	struct ast_sip_endpoint *endpoint;
	int done;

	if (message->line.req.method.id != PJSIP_INVITE_METHOD || rdata->msg_info.to->tag.slen
		|| pjsip_rdata_get_dlg(rdata) || pjsip_msg_find_hdr_by_name(message, &replaces, NULL)
		|| !ast_sip_is_allowed_uri(message->line.req.uri)
		|| !(endpoint = ast_pjsip_rdata_get_endpoint(rdata))) {
		return PJ_FALSE;
	}
	done = judge(rdata, endpoint);
	ao2_ref(endpoint, -1);
	return done ? PJ_TRUE : PJ_FALSE;
}

/*! Any answer above 100, whoever gives it. */
static pj_status_t admission_on_tx_response(pjsip_tx_data *tdata)
{
	pjsip_msg *message = tdata->msg;
	pjsip_cseq_hdr *cseq;
	pjsip_cid_hdr *call_id;
	pjsip_fromto_hdr *from;

	if (message->line.status.code > 100 && (cseq = PJSIP_MSG_CSEQ_HDR(message))
		&& cseq->method.id == PJSIP_INVITE_METHOD && (call_id = PJSIP_MSG_CID_HDR(message))
		&& (from = PJSIP_MSG_FROM_HDR(message))) {
		end_waiting(key_of(&call_id->id, &from->tag), NULL);
	}
	return PJ_SUCCESS;
}

/*! After those that find out who it is. */
static pjsip_module admission_module = {
	.name = { "Switchhook admission", 20 },
	.id = -1,
	.priority = PJSIP_MOD_PRIORITY_APPLICATION - 1,
	.on_rx_request = admission_on_rx_request,
	.on_tx_response = admission_on_tx_response,
};

/* -- what is done for it -------------------------------------------------------------------------------------------- */

static void linked(struct ast_channel *channel, char *linkedid)
{
	ast_channel_lock(channel);
	ast_copy_string(linkedid, ast_channel_linkedid(channel), AST_MAX_UNIQUEID);
	ast_channel_unlock(channel);
}

/*! It has a channel: what goes out for it will have the same linked id. */
static int admission_incoming_request(struct ast_sip_session *session, pjsip_rx_data *rdata)
{
	pj_uint32_t key = key_of(&rdata->msg_info.cid->id, &rdata->msg_info.from->tag);
	char linkedid[AST_MAX_UNIQUEID];
	int at;

	if (!session->channel) {
		return 0;
	}
	linked(session->channel, linkedid);
	ast_mutex_lock(&lock);
	for (at = 0; at < PLACES; at++) {
		if (places[at].since_us && places[at].key == key) {
			ast_copy_string(places[at].linkedid, linkedid, sizeof(places[at].linkedid));
		}
	}
	ast_mutex_unlock(&lock);
	return 0;
}

static void admission_outgoing_request(struct ast_sip_session *session, pjsip_tx_data *tdata)
{
	char linkedid[AST_MAX_UNIQUEID];

	if (session->channel) {
		linked(session->channel, linkedid);
		end_waiting(0, linkedid);
	}
}

/*! Between the making of the channel and the start of its dialplan. */
static struct ast_sip_session_supplement admission_supplement = {
	.method = "INVITE",
	.priority = AST_SIP_SUPPLEMENT_PRIORITY_CHANNEL + 200,
	.incoming_request = admission_incoming_request,
	.outgoing_request = admission_outgoing_request,
};

static int load_module(void)
{
	ast_sip_session_register_supplement(&admission_supplement);
	if (ast_sip_register_service(&admission_module)) {
		ast_sip_session_unregister_supplement(&admission_supplement);
		return AST_MODULE_LOAD_DECLINE;
	}
	return AST_MODULE_LOAD_SUCCESS;
}

/*! Never while Asterisk runs: a call that begins meanwhile would keep pointers into what is gone. */
static int unload_module(void)
{
	return -1;
}

AST_MODULE_INFO(ASTERISK_GPL_KEY, AST_MODFLAG_LOAD_ORDER, "New calls, as many as can be served",
	.support_level = AST_MODULE_SUPPORT_EXTENDED,
	.load = load_module,
	.unload = unload_module,
	.load_pri = AST_MODPRI_APP_DEPEND,
	.requires = "res_pjsip,res_pjsip_session",
);
