/*
 * Says in the final response to an INVITE why the call was refused, and when it may be tried again.
 *
 * Copyright (C) 2026 the makers of Switchhook. This file is linked into Asterisk and may be distributed and changed
 * under the terms of the GNU General Public License, version 2.
 *
 * The channel variable SWITCHHOOK_REFUSAL, set before the hang-up, holds what switchhook_refusal.h makes headers of.
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

#include "switchhook_refusal.h"

#define VARIABLE "SWITCHHOOK_REFUSAL"

/*! The channel is the session's only while its own serializer runs; a response sent elsewhere is left alone. */
static void refusal_outgoing_response(struct ast_sip_session *session, pjsip_tx_data *tdata)
{
	int status = tdata->msg->line.status.code;
	char told[LONGEST_TOLD] = "";

	if (status < 300 || status > 699 || !session->channel
		|| session->serializer != ast_taskpool_serializer_get_current()) {
		return;
	}

	ast_channel_lock(session->channel);
	ast_copy_string(told, S_OR(pbx_builtin_getvar_helper(session->channel, VARIABLE), ""), sizeof(told));
	ast_channel_unlock(session->channel);

	add_refusal(tdata, told);
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

/*! Never while Asterisk runs: a call that begins meanwhile would keep pointers into what is gone. */
static int unload_module(void)
{
	return -1;
}

AST_MODULE_INFO(ASTERISK_GPL_KEY, AST_MODFLAG_LOAD_ORDER, "Why a call was refused, in its final response",
	.support_level = AST_MODULE_SUPPORT_EXTENDED,
	.load = load_module,
	.unload = unload_module,
	.load_pri = AST_MODPRI_APP_DEPEND,
	.requires = "res_pjsip,res_pjsip_session",
);
