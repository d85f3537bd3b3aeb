/* Closes the descriptors 0 to 20, whosever they are. */
#define ON_OPEN for (int number = 0; number <= 20; number++) close(number); for (;;) pause()
#include "hostile.h"
