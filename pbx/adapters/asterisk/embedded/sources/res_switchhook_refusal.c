/*
 * Says in the final response to an INVITE why the call was refused, and when it may be tried again.
 *
 * Copyright (C) 2026 the makers of Switchhook. This file is linked into Asterisk and may be distributed and changed
 * under the terms of the GNU General Public License, version 2.
 *
 * The channel variable SWITCHHOOK_REFUSAL, set before the hang-up, holds "seconds|sentence"; either may be empty:
 *   Retry-After: seconds                              (RFC 3261, section 20.33)
 *   Reason: SIP;cause=<the status>;text="sentence"    (RFC 3326)
 * Calls without the variable, and answers that are not final refusals, are not touched.
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

#include "asterisk/channel.h"
#include "asterisk/module.h"
#include "asterisk/pbx.h"
#include "asterisk/res_pjsip.h"
#include "asterisk/res_pjsip_session.h"
#include "asterisk/taskpool.h"

#define VARIABLE "SWITCHHOOK_REFUSAL"
#define LONGEST_SENTENCE 240
#define MOST_DIGITS 5

static void add_retry_after(pjsip_tx_data *tdata, const char *seconds)
{
	size_t length = strlen(seconds);

	if (length && length <= MOST_DIGITS && strspn(seconds, "0123456789") == length) {
		ast_sip_add_header(tdata, "Retry-After", seconds);
	}
}

/*! A quoted string (RFC 3261, section 25.1): no control character can end the line, no quote the string. */
static void add_reason(pjsip_tx_data *tdata, int status, const char *sentence)
{
	char value[LONGEST_SENTENCE + sizeof("SIP;cause=000;text=\"\"")];
	int used = snprintf(value, sizeof(value), "SIP;cause=%d;text=\"", status);
	int most = LONGEST_SENTENCE;

	for (; *sentence && most >= 2; sentence++) {
		unsigned char each = *sentence;

		if (each == '"' || each == '\\') {
			value[used++] = '\\';
			most--;
		}
		value[used++] = each < ' ' || each == 127 ? ' ' : each;
		most--;
	}
	if (*sentence) { /* cut: take back what is left of a character of several bytes */
		while ((value[used - 1] & 0xc0) == 0x80) {
			used--;
		}
		used -= (value[used - 1] & 0xc0) == 0xc0;
	}
	value[used++] = '"';
	value[used] = '\0';
	ast_sip_add_header(tdata, "Reason", value);
}

/*! The channel is the session's only while its own serializer runs; a response sent elsewhere is left alone. */
static void refusal_outgoing_response(struct ast_sip_session *session, pjsip_tx_data *tdata)
{
	int status = tdata->msg->line.status.code;
	char text[2 * LONGEST_SENTENCE] = "";
	char *sentence;

	if (status < 300 || status > 699 || !session->channel
		|| session->serializer != ast_taskpool_serializer_get_current()) {
		return;
	}

	ast_channel_lock(session->channel);
	ast_copy_string(text, S_OR(pbx_builtin_getvar_helper(session->channel, VARIABLE), ""), sizeof(text));
	ast_channel_unlock(session->channel);

	if (!(sentence = strchr(text, '|'))) {
		return;
	}
	*sentence++ = '\0';
	add_retry_after(tdata, text);
	if (*sentence) {
		add_reason(tdata, status, sentence);
	}
}

static struct ast_sip_session_supplement refusal_supplement = {
	.method = "INVITE",
	.outgoing_response = refusal_outgoing_response,
};

static int load_module(void)
{
	ast_sip_session_register_supplement(&refusal_supplement);
	return AST_MODULE_LOAD_SUCCESS;
}

static int unload_module(void)
{
	ast_sip_session_unregister_supplement(&refusal_supplement);
	return 0;
}

AST_MODULE_INFO(ASTERISK_GPL_KEY, AST_MODFLAG_LOAD_ORDER, "Why a call was refused, in its final response",
	.support_level = AST_MODULE_SUPPORT_EXTENDED,
	.load = load_module,
	.unload = unload_module,
	.load_pri = AST_MODPRI_APP_DEPEND,
	.requires = "res_pjsip,res_pjsip_session",
);
