/* Its table says another major version than its symbol. */
#define MAJOR 2
#include "hostile.h"
