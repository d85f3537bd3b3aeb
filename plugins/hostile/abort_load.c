/* Gives up in its constructor, each time. */
#define ON_LOAD abort()
#include "hostile.h"
