/* Ends its process in good order when it has to open. */
#define ON_OPEN exit(0)
#include "hostile.h"
