/* Speaks the box's own language on its socket, out of turn. */
#define ON_OPEN forge()
static void forge(void);
#include "hostile.h"
static void say(const char *json) {
    unsigned char frame[256] = {(unsigned char)strlen(json)};
    memcpy(frame + 8, json, strlen(json));
    for (int number = 3; number < 20; number++)
        if (write(number, frame, 8 + strlen(json)) < 0) continue;
}
static void forge(void) {
    say("\"ready\""), say("\"created\""), say("{\"pong\":{\"number\":999999}}");
    say("{\"described\":{\"descriptor\":{\"id\":\"tollhouse.sim\",\"version\":\"9\"}}}");
}
